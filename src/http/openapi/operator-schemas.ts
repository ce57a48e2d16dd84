import { CALLBACK_STATES } from '../../callbacks/callback.js';
import { BULK_STATES } from '../../bulk/bulk.js';
import { BULK_ACTIONS } from '../../queue/use-cases/change-many.js';
import type { Schema } from './envelope.js';
import { list, object } from './schema-parts.js';

export const text = (description: string): Schema => ({ type: 'string', description });
export const whole = (description: string): Schema => ({ type: 'integer', description });
export const time = (description: string): Schema => ({ type: 'string', format: 'date-time', description });
export const orNull = (schema: Schema): Schema => ({ ...schema, nullable: true });

export const NEXT_CURSOR = orNull(text('Continues the list, as `cursor`. null: it has reached the end.'));

export const BULK = object({
  bulkId: text('Id of the bulk change.'),
  action: { type: 'string', enum: [...BULK_ACTIONS], description: 'What it does to each task.' },
  state: { type: 'string', enum: [...BULK_STATES], description: 'Whether it still runs.' },
  matched: whole('Tasks that fitted so far.'),
  done: whole('Those for which it worked.'),
  failed: whole('Those for which it did not: they had changed meanwhile, or a limit refused them.'),
  filter: { type: 'object', additionalProperties: true, description: 'The filter as it was sent.' },
  userId: orNull(text('Whose tasks it changes. null: those of all owners.')),
  requestedBy: orNull(text('Who asked for it.')),
  createdAt: time('When it was asked for.'),
  endedAt: orNull(time('When it ended.')),
});

export const BULK_COUNT = object({
  count: whole('Tasks that it would change now.'),
  isExact: { type: 'boolean', description: 'False: there may be more.' },
});

const RATE = object({
  max: whole('Starts in a period.'),
  per: whole('Seconds of a period.'),
  burst: whole('Starts that may come at once after a quiet time.'),
});

const SOURCE = orNull({ type: 'string', enum: ['operator', 'option', null], description: 'null: it is not set.' });

export const WAIT = orNull({
  type: 'string',
  enum: ['paused', 'limit', 'rate', null],
  description: 'Why claims find no task of it now, if a pause or a limit is the reason.',
});

export const SERVICE = object({
  service: text('Name of the service.'),
  paused: { type: 'boolean', description: 'Whether claims find no task of it now.' },
  pausedUntil: orNull(time('When the pause ends by itself.')),
  note: orNull(text('Why, in the words of an operator.')),
  maxRunning: orNull(whole('The most tasks that run at once, over all processes.')),
  rate: orNull({ ...RATE, description: 'At most `max` starts in `per` seconds on average.' }),
  maxRunningPerOwner: orNull(
    whole(
      'The most tasks of one owner that run at once. null with the source `option`: a function of the host decides.',
    ),
  ),
  fair: {
    oneOf: [{ type: 'boolean' }, { type: 'string', enum: ['group'] }],
    description: 'Whether owners, or groups, take turns.',
  },
  running: orNull(
    whole(
      'Tasks that run and are counted, for `maxRunning`, `maxRunningPerOwner` or `fair`. null: none of them is set.',
    ),
  ),
  wait: WAIT,
  sources: {
    ...object({ paused: SOURCE, maxRunning: SOURCE, rate: SOURCE, maxRunningPerOwner: SOURCE, fair: SOURCE }),
    description: 'Where each of them comes from.',
  },
  changedBy: orNull(text('Who changed it last.')),
  changedAt: orNull(time('When it was changed last. null: all comes from the options.')),
});

export const CALLBACK = object({
  id: text('Id of the callback: the `webhook-id` of each try.'),
  taskId: text('Id of the task that ended.'),
  type: text('How the task ended.'),
  url: text('Where it is sent.'),
  state: { type: 'string', enum: [...CALLBACK_STATES], description: 'Whether it was delivered.' },
  attempts: whole('Tries since it was created or last replayed.'),
  dueAt: orNull(time('When the next try is due. null once it has ended.')),
  tries: list('The last tries, oldest first.', { type: 'object', additionalProperties: true }),
  createdAt: time('When the task ended.'),
  endedAt: orNull(time('When it was delivered or given up.')),
});

export const REPLAYED = object({
  replayed: whole('Callbacks that are due again.'),
  isPartial: { type: 'boolean', description: 'Whether there may be more: send the request again.' },
});

export const WORKER_LOAD = object({
  workerId: orNull(text('The worker. null: workers that name no id.')),
  service: text('The service of the tasks.'),
  running: whole('Tasks that it holds.'),
  since: orNull(time('When the oldest of them began.')),
  lastHeard: orNull(time('When it last reported on one of them.')),
  leaseExpiresAt: orNull(time('When the first of their leases ends.')),
});

export const ATTEMPT = object({
  attempt: whole('Its number since the task was last set to run.'),
  workerId: orNull(text('The worker.')),
  startedAt: orNull(time('When it began.')),
  endedAt: time('When it ended.'),
  outcome: { type: 'string', enum: ['failed', 'leaseExpired', 'released'], description: 'How it ended.' },
  error: orNull(text('Its error, cut to 4,096 bytes of UTF-8.')),
});
