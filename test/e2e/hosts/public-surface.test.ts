import { expect, it } from '@jest/globals';
import * as client from '../../../src/client/index.js';
import * as surface from '../../../src/index.js';

it('exports exactly what a host may import', () => {
  expect(Object.keys(surface).sort()).toEqual([
    'AddToBatchDto',
    'BatchChangeDto',
    'BatchController',
    'BulkChangeDto',
    'BulkDto',
    'CALLBACK_STATES',
    'CallbackFilterDto',
    'CallbackListDto',
    'ClaimTaskDto',
    'ClientGone',
    'CreateBatchDto',
    'CreateTaskDto',
    'CronTaskController',
    'InjectTaskService',
    'ListBatchLayersDto',
    'ListBatchTasksDto',
    'ListBatchesDto',
    'ListBulksDto',
    'ListSchedulesDto',
    'ListTasksDto',
    'NewerSchemaError',
    'OperatorController',
    'OperatorListBatchesDto',
    'OperatorListDto',
    'OperatorListSchedulesDto',
    'OperatorName',
    'OperatorUpdateDto',
    'Process',
    'RemoveTasksDto',
    'ReportOneTaskDto',
    'ReportTaskDto',
    'ReportTasksDto',
    'RetryLater',
    'ScheduleController',
    'ScheduleDto',
    'ScheduleOwnerDto',
    'ServiceDto',
    'SqliteInUseError',
    'StatsDto',
    'TASK_ERRORS',
    'TASK_STATUS',
    'Task',
    'TaskController',
    'TaskError',
    'TaskHealthIndicator',
    'TaskInput',
    'TaskModule',
    'TaskOptionsError',
    'TaskProcessor',
    'TaskResponse',
    'TaskService',
    'TaskStopped',
    'UnrecoverableError',
    'UpdateTaskDto',
    'UserId',
    'WatchTasksDto',
    'WorkerTaskController',
    'getTaskServiceToken',
    'isTaskOperatorRoute',
    'isTaskWorkerRoute',
    'runTaskMigrations',
    'taskMigrations',
    'withTaskCallbacks',
  ]);
});

it('keeps the former names of what was renamed', () => {
  class Workers extends surface.CronTaskController {}
  const typed: surface.CronTaskController = Workers.prototype satisfies surface.WorkerTaskController;
  expect(typed).toBeInstanceOf(surface.WorkerTaskController);
  expect(surface.CronTaskController).toBe(surface.WorkerTaskController);
});

it('exports as client exactly what a worker or a user may import', () => {
  expect(Object.keys(client).sort()).toEqual([
    'BatchClient',
    'BulkClient',
    'ERROR_CODE',
    'OperatorBatchClient',
    'OperatorClient',
    'OperatorScheduleClient',
    'RetryLater',
    'STATUS',
    'ScheduleClient',
    'TaskApiError',
    'TaskClient',
    'TaskStopped',
    'TaskWorker',
    'URIS',
    'UnrecoverableError',
    'WAIT_HEADER',
    'WaitTimeoutError',
  ]);
  // A handler may throw either's.
  expect(client.UnrecoverableError).toBe(surface.UnrecoverableError);
});
