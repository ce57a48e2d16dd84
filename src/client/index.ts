export * from './api.types.js';
export {
  ERROR_CODE,
  type ErrorCodes,
  RetryLater,
  type StopReason,
  TaskApiError,
  TaskStopped,
  UnrecoverableError,
  WaitTimeoutError,
} from './errors.js';
export { type CloseOptions, type RunnerOptions, type TaskHandler } from './runner.js';
export { type TaskContext } from './session.js';
export { type Keyed, TaskClient, type TaskClientOptions, type WaitOptions } from './task-client.js';
export { TaskWorker, type TaskWorkerOptions } from './task-worker.js';
export { type RequestOptions, type TransportOptions } from './transport.js';
export { type LogLevel, type WorkerEvents, type WorkerLog } from './worker-events.js';
