import type { Type } from '@nestjs/common';
import { OperatorController } from './operator.controller.js';
import { TaskController } from './task.controller.js';
import { WorkerTaskController } from './worker-task.controller.js';

/** The classes of the routes, one for each audience. */
export class ControllerStructure {
  /** The user routes: a class that extends `TaskController`. @defaultValue TaskController */
  controller: Type<TaskController> = TaskController;

  /**
   * The worker routes: a class that extends `WorkerTaskController`, whose former name `CronTaskController` is an alias.
   * @defaultValue WorkerTaskController
   */
  cronController: Type<WorkerTaskController> = WorkerTaskController;

  /** The operator routes: a class that extends `OperatorController`. @defaultValue OperatorController */
  operatorController: Type<OperatorController> = OperatorController;
}
