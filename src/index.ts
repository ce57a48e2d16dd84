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
export { type CallbackState, type CallbackTry, type CallbackType, type TaskCallback } from './callback/callback.js';
export { type CallbackList, type CallbackListOptions, type Callbacks } from './callback/callbacks.js';
export { type CallbackRetry } from './callback/retry.js';
export { type CallbackUrl } from './callback/targets.js';
export { type ClaimOptions } from './core/claims.js';
export { type Idempotent, type NewTask, type OwnColumns } from './core/creation.js';
export { type TaskEvent, type TaskEventType, type TaskListener } from './core/events.js';
export { type Backoff, type ServiceOptions } from './core/policy.js';
export { type InTransaction, type Quota } from './core/queue.js';
export { type TaskReport } from './core/reports.js';
export {
  type AsOwner,
  type ListOptions,
  type Removal,
  type TaskChanges,
  type TaskList,
  TaskService,
} from './core/task.service.js';
export { ClientGone } from './http/client-gone.js';
export {
  type ClaimAnswer,
  type ClaimedTaskJson,
  CronTaskController,
  type CronTaskJson,
  type ReportedJson,
} from './http/cron-task.controller.js';
export { ClaimTaskDto } from './http/dto/claim-task.dto.js';
export { CreateTaskDto } from './http/dto/create-task.dto.js';
export { ListTasksDto } from './http/dto/list-tasks.dto.js';
export { RemoveTasksDto } from './http/dto/remove-tasks.dto.js';
export { ReportTaskDto } from './http/dto/report-task.dto.js';
export { ReportOneTaskDto, ReportTasksDto } from './http/dto/report-tasks.dto.js';
export { UpdateTaskDto } from './http/dto/update-task.dto.js';
export { TaskInput } from './http/input.js';
export { type ListJson, type RemovalJson, TaskController } from './http/task.controller.js';
export { UserId } from './http/user.guard.js';
export { type TaskMigrationOptions, taskMigrations } from './migrations/index.js';
export { NewerSchemaError, runTaskMigrations } from './migrations/runner.js';
export {
  Process,
  type ProcessContext,
  TaskProcessor,
  type TaskProcessorOptions,
} from './processor/processor.decorator.js';
export { type TaskCount } from './store/task.store.js';
export { SqliteInUseError } from './store/sqlite.lock.js';
export { getTaskServiceToken, InjectTaskService, TaskModule } from './task.module.js';
export {
  type TaskModuleAsyncOptions,
  type TaskModuleOptions,
  type TaskDynamicOptions,
  type TaskGuard,
  TaskOptionsError,
  type UserIdResolver,
} from './task.options.js';
