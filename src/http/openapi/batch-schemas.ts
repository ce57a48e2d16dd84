import { BATCH_STATES, ON_FAILURE } from '../../batches/batch.js';
import type { Schema } from './envelope.js';
import { orNull, text, time, whole } from './operator-schemas.js';
import { list, object } from './schema-parts.js';

const ENDED = {
  finished: whole('Tasks that have finished.'),
  failed: whole('Tasks that have failed.'),
  cancelled: whole('Tasks that were cancelled, or deleted before their end.'),
};
const COUNTS = {
  waiting: whole('Tasks that wait, and drafts.'),
  ready: whole('Tasks that are ready.'),
  running: whole('Tasks that run.'),
  ...ENDED,
};

const shown = (counts: Record<string, Schema>): Record<string, Schema> => ({
  batchId: text('Id of the batch.'),
  state: {
    type: 'string',
    enum: [...BATCH_STATES],
    description:
      '`open`: tasks may be added. `running`: some have not ended. When all have: `failed` if one failed, else ' +
      '`cancelled` if one was cancelled, else `finished`.',
  },
  total: whole('Tasks that were created in it.'),
  counts: object(counts),
  progress: whole('Percent of the tasks that have ended.'),
  onFailure: { type: 'string', enum: [...ON_FAILURE], description: 'What the first failed task does to the others.' },
  sealed: { type: 'boolean', description: 'Whether no tasks are added any more.' },
  thenTaskId: orNull(text('The task that the last end created.')),
  createdAt: time('When it was created.'),
  endedAt: orNull(time('When its last task ended. null: not all have ended.')),
});

export const BATCH = object(shown(COUNTS));
export const BATCH_SUMMARY = object(shown(ENDED));
export const CREATED_BATCH = object({
  ...shown(COUNTS),
  taskIds: list('The ids of the tasks of this request, in its order.', { type: 'string' }),
});
const USER_ID = { userId: text('The owner.') };
export const OPERATOR_BATCH = object({ ...shown(COUNTS), ...USER_ID });
export const OPERATOR_BATCH_SUMMARY = object({ ...shown(ENDED), ...USER_ID });

const LAYER = whole('How many tasks come before, one after the other. 0: it waits for none.');
export const BATCH_MEMBER = object({
  taskId: text('Id of the task.'),
  ref: orNull(text('The name that its creator gave it.')),
  status: orNull(whole('Its status. null: it was deleted.')),
  service: orNull(text('Its service. null: it was deleted.')),
  layer: LAYER,
  dependsOn: list('The ids of the tasks that it waits for.', { type: 'string' }),
});
export const BATCH_LAYER = object({ layer: LAYER, total: whole('Its tasks.'), counts: object(COUNTS) });
