import { ApiSchema } from '@nestjs/swagger';
import {
  BATCH_STATES,
  type BatchState,
  type BatchTask,
  ON_FAILURE,
  type OnFailure,
  type ThenTask,
} from '../../batches/batch.js';
import { batchTasksRule } from '../../batches/graph.js';
import { objectRule, oneOf } from '../../validation/choice.rules.js';
import { Field } from '../../validation/field.js';
import { type Rule, valueRule } from '../../validation/rule.js';
import {
  booleanRule,
  callbackLimitRule,
  cursorRule,
  layerRule,
  statusRule,
  userIdRule,
} from '../../validation/rules.js';
import { urlRule } from '../../validation/url.rule.js';

const TASKS = {
  description:
    'What a create takes, each also with `ref`, `dependsOn` and `runOn`. A task is ready unless its `status` says that ' +
    'it is a draft. In forms: the JSON text of the list.',
  example: [{ input: 'part 1' }, { input: 'part 2' }],
  required: true,
} as const;

const CURSOR = { description: 'The `nextCursor` of the answer before.' };

/** A new batch. */
@ApiSchema({ name: 'createBatch' })
export class CreateBatchDto {
  @Field(batchTasksRule, TASKS)
  tasks!: BatchTask[];

  @Field(objectRule, {
    description:
      'The task that is created when all have ended: what a create takes, without `status` and `runAt`. In its `input` ' +
      'and `args`, `{{batchId}}` stands for the batch and `{{batchState}}` for its state. In forms: its JSON text.',
    example: { input: 'join {{batchId}}', service: 'join' },
  })
  then?: ThenTask;

  @Field(urlRule, {
    description:
      'The server sends the notice `batch.finished` to this address, instead of to the one in the configuration. It ' +
      'must be at an origin that the configuration allows.',
  })
  callbackUrl?: string;

  @Field(oneOf(ON_FAILURE), {
    description:
      'What the first failed task does to the others: `finish` (the default) nothing, `cancel` cancels them.',
  })
  onFailure?: OnFailure;

  @Field(booleanRule, { description: 'false: the batch stays open for more tasks. If absent: true.' })
  seal?: boolean;

  /** The header Idempotency-Key. */
  idempotencyKey?: string;
}

/** More tasks for a batch. */
@ApiSchema({ name: 'addToBatch' })
export class AddToBatchDto {
  @Field(batchTasksRule, TASKS)
  tasks!: BatchTask[];
}

const isTrue: Rule = (value) =>
  booleanRule(value) ?? (value ? undefined : { rule: 'isIn', msg: 'must be true: a batch is never opened again' });
const sealRule = valueRule(isTrue, booleanRule.schema);

/** A change of a batch. */
@ApiSchema({ name: 'batchChange' })
export class BatchChangeDto {
  @Field(statusRule, {
    description: 'CANCELLED cancels all tasks that have not ended, and seals the batch.',
    example: -20,
  })
  status?: number;

  @Field(sealRule, { description: 'true: no tasks are added any more. A batch is never opened again.' })
  seal?: boolean;
}

@ApiSchema({ name: 'listBatches' })
export class ListBatchesDto {
  @Field(oneOf(BATCH_STATES), {
    description: 'Only batches in this state. A page may then be short although there are more.',
  })
  state?: BatchState;

  @Field(callbackLimitRule, { description: 'The most batches of one answer.', default: 50 })
  limit?: number;

  @Field(cursorRule, CURSOR)
  cursor?: string;
}

@ApiSchema({ name: 'operatorListBatches' })
export class OperatorListBatchesDto extends ListBatchesDto {
  @Field(userIdRule, { description: 'Only batches of this owner.' })
  userId?: string;
}

@ApiSchema({ name: 'listBatchTasks' })
export class ListBatchTasksDto {
  @Field(layerRule, { description: 'Only tasks that have as many others before them, one after the other.' })
  layer?: number;

  @Field(statusRule, { description: 'Only tasks in this status. A page may then be short although there are more.' })
  status?: number;

  @Field(callbackLimitRule, { description: 'The most tasks of one answer.', default: 50 })
  limit?: number;

  @Field(cursorRule, CURSOR)
  cursor?: string;
}

@ApiSchema({ name: 'listBatchLayers' })
export class ListBatchLayersDto {
  @Field(callbackLimitRule, { description: 'The most layers of one answer.', default: 50 })
  limit?: number;

  @Field(cursorRule, CURSOR)
  cursor?: string;
}
