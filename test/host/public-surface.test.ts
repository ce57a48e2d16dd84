import { expect, it } from '@jest/globals';
import * as surface from '../../src/index.js';

it('exports exactly what a host may import', () => {
  expect(Object.keys(surface).sort()).toEqual([
    'ClaimTaskDto',
    'ClientGone',
    'CreateTaskDto',
    'CronTaskController',
    'InjectTaskService',
    'ListTasksDto',
    'NewerSchemaError',
    'RemoveTasksDto',
    'ReportOneTaskDto',
    'ReportTaskDto',
    'ReportTasksDto',
    'SqliteInUseError',
    'TASK_ERRORS',
    'TASK_STATUS',
    'Task',
    'TaskController',
    'TaskError',
    'TaskInput',
    'TaskModule',
    'TaskOptionsError',
    'TaskResponse',
    'TaskService',
    'UpdateTaskDto',
    'UserId',
    'getTaskServiceToken',
    'runTaskMigrations',
    'taskMigrations',
  ]);
});
