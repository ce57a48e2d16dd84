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
export { type CallbackRetry } from './callbacks/delivery/callback-retry.js';
export { type CallbackUrl } from './callbacks/targets/callback-targets.js';
export { type ClaimOptions } from './queue/use-cases/claim-options.js';
export { type Idempotent, type NewTask, type Traced } from './queue/creation/create.js';
export { type OwnColumns } from './queue/own-columns.js';
export { type Unique } from './queue/unique.js';
export { type TaskEvent, type TaskEventType, type TaskListener } from './queue/events.js';
export { type Backoff } from './queue/backoff.js';
export { type ServiceOptions } from './queue/service-policy.js';
export { type ListOptions, type TaskList } from './queue/use-cases/list.js';
export { type InTransaction, type Quota } from './queue/queue.js';
export { type TaskReport } from './queue/use-cases/report.js';
export type { TaskReadiness } from './queue/readiness.js';
export { type TaskHealth, TaskHealthIndicator } from './service/task-health.indicator.js';
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
export { type RemovalJson } from './http/removal-json.js';
export { type ListJson, TaskController } from './http/task.controller.js';
export { BatchController, type BatchJson, type BatchSummaryJson } from './http/batch.controller.js';
export {
  AddToBatchDto,
  BatchChangeDto,
  CreateBatchDto,
  ListBatchesDto,
  ListBatchLayersDto,
  ListBatchTasksDto,
  OperatorListBatchesDto,
} from './http/dto/batch.dto.js';
export { ScheduleController, type ScheduleJson } from './http/schedule.controller.js';
export { ListSchedulesDto, OperatorListSchedulesDto, ScheduleDto, ScheduleOwnerDto } from './http/dto/schedule.dto.js';
export { BulkChangeDto, BulkDto, ListBulksDto } from './http/dto/bulk.dto.js';
export { CallbackFilterDto, CallbackListDto } from './http/dto/callback-list.dto.js';
export { OperatorListDto } from './http/dto/operator-list.dto.js';
export { OperatorUpdateDto } from './http/dto/operator-update.dto.js';
export { ServiceDto } from './http/dto/service.dto.js';
export { StatsDto } from './http/dto/stats.dto.js';
export { OperatorController, type OperatorListJson, type OperatorTaskDetailJson } from './http/operator.controller.js';
export { type OperatorTaskJson } from './http/operator-schedules.controller.js';
export { type Bulk, type BulkState } from './bulk/bulk.js';
export {
  type Batch,
  type BatchCounts,
  type BatchLayer,
  type BatchMember,
  type BatchState,
  type BatchSummary,
  type BatchTask,
  type CreatedBatch,
  type NewBatch,
  type OnFailure,
  type RunOn,
  type ThenTask,
} from './batches/batch.js';
export {
  type BatchGraph,
  type BatchLayerList,
  type BatchLayersOptions,
  type BatchMemberList,
  type BatchTasksOptions,
} from './batches/batch-graph.js';
export { type BatchList, type BatchListOptions, type Batches } from './batches/batches.js';
export { type BatchCaller } from './batches/own-batch.js';
export {
  type CatchUp,
  type Overlap,
  type Schedule,
  type ScheduledTask,
  type ScheduleRun,
  type ScheduleState,
  type ScheduleSettings,
} from './schedules/schedule.js';
export { type CodeSchedule } from './schedules/schedules.options.js';
export {
  type ScheduleCaller,
  type ScheduleList,
  type ScheduleListOptions,
  type Schedules,
} from './schedules/schedules.js';
export { type BulkCaller, type BulkList, type BulkRequest, type Bulks } from './bulk/bulks.js';
export { type ServiceSettings, type ServiceState } from './flow/services.js';
export { type Rate, type RateOptions } from './flow/settings.js';
export { type ServiceValues } from './flow/flow.options.js';
export { type OperatorAction, type OperatorCall, type OperatorListener } from './operator/audit.js';
export { type OperatorBatches } from './operator/operator-batches.js';
export { type OperatorSchedules, type OwnedSchedule } from './operator/operator-schedules.js';
export { type Operator, type OperatorChanges, type TaskDetail } from './operator/operator.js';
export { type Overview, type ServiceOverview } from './operator/overview.js';
export { type WorkerLoad } from './operator/worker.store.js';
export { type SearchCount, type SearchOptions, type SearchResult } from './queue/use-cases/search.js';
export { OperatorName } from './http/guards/operator-name.js';
export { isTaskOperatorRoute } from './http/guards/operator.guard.js';
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
export type { OperatorAccess, OperatorAccessResolver, TaskGuard, UserIdResolver } from './http/http.options.js';
export type { MetricsRegistry, MetricsText } from './metrics/metrics-registry.js';
export type { Metrics } from './metrics/metrics.service.js';
export type { Activity } from './metrics/activity.js';
export type { FailedOutcome, TaskAttempt } from './metrics/attempt.js';
export type { ServiceGauges } from './metrics/queue-gauges.js';
export type { Stats, StatsOptions, StatsPoint } from './metrics/stats.js';
export type { CallbackBacklog } from './callbacks/callbacks.service.js';
export { TaskOptionsError } from './contract/options.error.js';
