import type { Type } from '@nestjs/common';
import { BatchController } from './batch.controller.js';
import { OperatorController } from './operator.controller.js';
import { ScheduleController } from './schedule.controller.js';
import { TaskController } from './task.controller.js';
import { WorkerTaskController } from './worker-task.controller.js';

/** The classes of the routes. */
export class ControllerStructure {
  /** The user routes: a class that extends `TaskController`. @defaultValue TaskController */
  controller: Type<TaskController> = TaskController;

  /**
   * The worker routes: a class that extends `WorkerTaskController`, whose former name `CronTaskController` is an alias.
   * @defaultValue WorkerTaskController
   */
  cronController: Type<WorkerTaskController> = WorkerTaskController;

  /** The routes of users' schedules: a class that extends `ScheduleController`. @defaultValue ScheduleController */
  scheduleController: Type<ScheduleController> = ScheduleController;

  /** The routes of users' batches: a class that extends `BatchController`. @defaultValue BatchController */
  batchController: Type<BatchController> = BatchController;

  /** The operator routes: a class that extends `OperatorController`. @defaultValue OperatorController */
  operatorController: Type<OperatorController> = OperatorController;
}
