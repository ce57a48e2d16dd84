export { RetryLater, type StopReason, TaskStopped, UnrecoverableError } from './client/errors.js';
export {
  type FieldProblem,
  TASK_ERRORS,
  TaskError,
  type TaskErrorBody,
  type TaskErrorCatalogue,
  type TaskErrorEntry,
  type TaskErrorName,
} from './contract/errors.js';
export { TaskResponse } from './contract/response.js';
export { TASK_STATUS, type TaskRole, type TaskStatusCatalogue } from './contract/status.js';
export { Task, type TaskJson } from './contract/task.entity.js';
export {
  CALLBACK_STATES,
  type CallbackState,
  type CallbackTry,
  type CallbackType,
  type TaskCallback,
} from './callbacks/callback.js';
export { withTaskCallbacks } from './callbacks/callbacks-of.js';
export { type CallbackList, type CallbackListOptions, type Callbacks } from './callbacks/callbacks.service.js';
export { type CallbackRetry } from './callbacks/delivery/retry.js';
export { type CallbackUrl } from './callbacks/targets/callback-targets.js';
export { type ClaimOptions } from './queue/use-cases/claim-options.js';
export { type Idempotent, type NewTask, type OwnColumns } from './queue/use-cases/create.js';
export { type TaskEvent, type TaskEventType, type TaskListener } from './queue/events.js';
export { type Backoff, type ServiceOptions } from './queue/service-policy.js';
export { type ListOptions, type TaskList } from './queue/use-cases/list.js';
export { type InTransaction, type Quota } from './queue/queue.js';
export { type TaskReport } from './queue/use-cases/report.js';
export { TaskService } from './service/task.service.js';
export type { AsOwner, TaskChanges } from './queue/use-cases/change.js';
export type { Removal } from './queue/use-cases/remove.js';
export { ClientGone } from './http/request/client-gone.js';
export {
  type ClaimAnswer,
  type ClaimedTaskJson,
  type CronTaskJson,
  type ReportedJson,
  WorkerTaskController,
  /** @deprecated Use `WorkerTaskController`: it is the same class, and has nothing to do with cron. */
  WorkerTaskController as CronTaskController,
} from './http/worker-task.controller.js';
export { ClaimTaskDto } from './http/dto/claim-task.dto.js';
export { CreateTaskDto } from './http/dto/create-task.dto.js';
export { ListTasksDto } from './http/dto/list-tasks.dto.js';
export { RemoveTasksDto } from './http/dto/remove-tasks.dto.js';
export { ReportTaskDto } from './http/dto/report-task.dto.js';
export { ReportOneTaskDto, ReportTasksDto } from './http/dto/report-tasks.dto.js';
export { UpdateTaskDto } from './http/dto/update-task.dto.js';
export { TaskInput } from './http/request/input.js';
export { WatchTasksDto } from './http/dto/watch-tasks.dto.js';
export type { Subscription, WatchOptions } from './live/subscription.js';
export { type ListJson, type RemovalJson, TaskController } from './http/task.controller.js';
export { UserId } from './http/guards/user.guard.js';
export { isTaskWorkerRoute } from './http/guards/worker.guard.js';
export { type TaskMigrationOptions, taskMigrations } from './schema/migrations.js';
export { NewerSchemaError, runTaskMigrations } from './schema/runner.js';
export {
  Process,
  type ProcessContext,
  TaskProcessor,
  type TaskProcessorOptions,
} from './processors/processor.decorator.js';
export { type TaskCount } from './queue/stores/task.store.js';
export { SqliteInUseError } from './database/sqlite.lock.js';
export { getTaskServiceToken, InjectTaskService, TaskModule } from './task.module.js';
export type { TaskModuleAsyncOptions, TaskModuleOptions, TaskDynamicOptions } from './options/task.options.js';
export type { TaskGuard, UserIdResolver } from './http/http.options.js';
export type { MetricsRegistry, MetricsText } from './metrics/metrics-registry.js';
export type { Metrics } from './metrics/metrics.service.js';
export type { Activity } from './metrics/activity.js';
export type { FailedOutcome, TaskAttempt } from './metrics/attempt.js';
export type { ServiceGauges } from './metrics/queue-gauges.js';
export type { Stats, StatsOptions, StatsPoint } from './metrics/stats.js';
export type { CallbackBacklog } from './callbacks/callbacks.service.js';
export { TaskOptionsError } from './contract/options.error.js';
