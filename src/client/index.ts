export * from '../protocol/batch.types.js';
export * from '../protocol/operator.types.js';
export * from '../protocol/overview.types.js';
export * from '../protocol/schedule.types.js';
export * from '../protocol/unique.types.js';
export * from '../protocol/user-answers.types.js';
export * from '../protocol/wire.types.js';
export { ERROR_CODE, type ErrorCodes } from '../protocol/error-codes.js';
export { TASK_STATUS as STATUS, type StatusCodes } from '../protocol/status.js';
export { URIS, type Uris } from '../protocol/uris.js';
export {
  RetryLater,
  type StopReason,
  TaskApiError,
  TaskStopped,
  UnrecoverableError,
  WaitTimeoutError,
} from './errors.js';
export { type TaskHandler } from './worker/runner.js';
export { type CloseOptions, type RunnerOptions } from './worker/runner.options.js';
export { type TaskContext } from './worker/session.js';
export { type BatchCall, BatchClient, OperatorBatchClient } from './batch-client.js';
export { BulkClient } from './bulk-client.js';
export { OperatorScheduleClient, ScheduleClient } from './schedule-client.js';
export { OperatorClient } from './operator-client.js';
export { type Keyed, TaskClient, type TaskClientOptions } from './task-client.js';
export { type WaitOptions } from './wait-for.js';
export { type WatchEvent, type WatchOptions } from './watch.js';
export { TaskWorker, type TaskWorkerOptions } from './worker/task-worker.js';
export { type RequestOptions, type TransportOptions } from './transport.js';
export { type LogLevel, type WorkerEvents, type WorkerLog } from './worker/worker-events.js';
