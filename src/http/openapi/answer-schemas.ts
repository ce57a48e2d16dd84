import { getSchemaPath } from '@nestjs/swagger';
import type { Schema } from './envelope.js';
import { OVERVIEW, STATS } from './overview-schemas.js';
import {
  ATTEMPT,
  BULK,
  BULK_COUNT,
  CALLBACK,
  NEXT_CURSOR,
  REPLAYED,
  SERVICE,
  WORKER_LOAD,
} from './operator-schemas.js';
import {
  BATCH,
  BATCH_LAYER,
  BATCH_MEMBER,
  BATCH_SUMMARY,
  CREATED_BATCH,
  OPERATOR_BATCH,
  OPERATOR_BATCH_SUMMARY,
} from './batch-schemas.js';
import { OPERATOR_SCHEDULE, SCHEDULE } from './schedule-schemas.js';
import { list, object } from './schema-parts.js';
import type { TaskSchemas } from './schemas.js';

/** What the data of an answer holds, if the request worked. A route of the route table names its row. */
export const ANSWER_SCHEMAS = {
  events: () => ({
    type: 'string',
    description: 'Events as the HTML standard writes them; `data` is JSON. See the description of the route.',
    example:
      'event: task\nid: 1-3fa2c9d81b07\ndata: {"taskId":"019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c","progress":40}\n\n',
  }),
  task: ({ task }) => refTo(task),
  created: ({ created }) => ({
    oneOf: [
      refTo(created),
      object({ list: list('If the body was a list: the tasks, in the same order.', refTo(created)) }),
    ],
  }),
  list: ({ task }) =>
    object({
      list: list('The tasks, newest first.', refTo(task)),
      nextCursor: {
        type: 'string',
        nullable: true,
        description: 'Send it as `cursor` for the next page; null if there is none.',
        example: null,
      },
    }),
  removal: () =>
    object({
      deleted: list('Ids of the tasks that were deleted.', { type: 'string' }),
      notDeleted: list(
        'Tasks that were not deleted, each with the reason.',
        object({
          taskId: { type: 'string', description: 'The id from the request.' },
          code: { type: 'integer', description: 'Error code of the reason.' },
          msg: { type: 'string', description: 'Text of the reason.' },
        }),
      ),
    }),
  claim: ({ claimed }) => ({
    oneOf: [
      refTo(claimed),
      object({ list: list('With `limit`: the tasks, in the order of claims.', refTo(claimed)) }),
      { type: 'array', maxItems: 0, items: {}, description: 'Without `limit`: no task is ready.' },
    ],
  }),
  cronTask: ({ cronTask }) => refTo(cronTask),
  reported: () =>
    object({
      list: list('The answers, in the order of the reports: each is the answer to a single report, with `taskId`.', {
        type: 'object',
        additionalProperties: true,
      }),
    }),
  bulk: () => BULK,
  bulkOrCount: () => ({ oneOf: [BULK, BULK_COUNT], description: 'The bulk change; with `dryRun` the count.' }),
  bulks: () => object({ list: list('Newest first.', BULK), nextCursor: NEXT_CURSOR }),
  operatorTask: ({ operatorTask }) => refTo(operatorTask),
  operatorTaskDetail: ({ operatorTask }) =>
    object({
      task: refTo(operatorTask),
      attempts: list('Attempts that failed or were given back, oldest first.', ATTEMPT),
      callbacks: list('Newest first.', CALLBACK),
    }),
  operatorList: ({ operatorTask }) =>
    object({
      list: list('The tasks that were found, newest first.', refTo(operatorTask)),
      nextCursor: NEXT_CURSOR,
      searchedTo: {
        type: 'string',
        format: 'date-time',
        nullable: true,
        description: 'The time of creation to which the search has come. null: it has reached the end.',
      },
    }),
  metrics: () => ({
    type: 'string',
    description: "Prometheus' text format.",
    example: 'softdd_task_ready{service="video",queue="default"} 3\n',
  }),
  overview: () => OVERVIEW,
  stats: () => STATS,
  service: () => SERVICE,
  services: () => object({ list: list('In the order of the names.', SERVICE) }),
  callback: () => CALLBACK,
  callbacks: () => object({ list: list('Newest first.', CALLBACK), nextCursor: NEXT_CURSOR }),
  replayed: () => REPLAYED,
  schedule: () => SCHEDULE,
  schedules: () => object({ list: list('In the order of their keys.', SCHEDULE), nextCursor: NEXT_CURSOR }),
  scheduleRemoved: () => object({ key: { type: 'string', description: 'The key of the schedule that was deleted.' } }),
  operatorSchedule: () => OPERATOR_SCHEDULE,
  operatorSchedules: () =>
    object({ list: list('In the order of owners and keys.', OPERATOR_SCHEDULE), nextCursor: NEXT_CURSOR }),
  batch: () => BATCH,
  createdBatch: () => CREATED_BATCH,
  batches: () => object({ list: list('Newest first.', BATCH_SUMMARY), nextCursor: NEXT_CURSOR }),
  batchTasks: () =>
    object({ list: list('In the order in which they were created.', BATCH_MEMBER), nextCursor: NEXT_CURSOR }),
  batchLayers: () =>
    object({ list: list('Those that wait for none come first.', BATCH_LAYER), nextCursor: NEXT_CURSOR }),
  operatorBatch: () => OPERATOR_BATCH,
  operatorBatches: () => object({ list: list('Newest first.', OPERATOR_BATCH_SUMMARY), nextCursor: NEXT_CURSOR }),
  workers: () => object({ list: list('Most tasks first.', WORKER_LOAD) }),
} satisfies Record<string, (schemas: TaskSchemas) => Schema>;

export type AnswerKind = keyof typeof ANSWER_SCHEMAS;

const refTo = (model: Parameters<typeof getSchemaPath>[0]): Schema => ({ $ref: getSchemaPath(model) });
