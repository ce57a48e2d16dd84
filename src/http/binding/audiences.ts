import type { CanActivate, Type } from '@nestjs/common';
import type { ControllerStructure } from '../controller.options.js';
import { OperatorGuard } from '../guards/operator.guard.js';
import { BatchController } from '../batch.controller.js';
import { UserGuard } from '../guards/user.guard.js';
import { WorkerGuard } from '../guards/worker.guard.js';
import type { HttpStructure, TaskGuard } from '../http.options.js';
import { OperatorController } from '../operator.controller.js';
import { ScheduleController } from '../schedule.controller.js';
import { TaskController } from '../task.controller.js';
import { WorkerTaskController } from '../worker-task.controller.js';
import type { Audience } from './route-definition.js';

/** The options that hold guards of the host. */
type GuardsOption = {
  [Option in keyof HttpStructure]-?: HttpStructure[Option] extends TaskGuard[] | undefined ? Option : never;
}[keyof HttpStructure];

/** Who calls a route. */
export interface AudienceDefinition {
  /** Our controller. */
  base: Type;
  /** The option that replaces it by a controller of the host. */
  controller: keyof ControllerStructure;
  /** The option with the guards of the host. */
  guards: GuardsOption;
  /** Our guard, which runs after those. */
  guard: Type<CanActivate>;
  /** The name of its security scheme in the OpenAPI document. */
  security: string;
  /** The tag of its operations in the OpenAPI document. */
  tag: string;
}

/** A new audience is a row here, its name in `Audience`, and the two options that the row names. */
export const AUDIENCES: Record<Audience, AudienceDefinition> = {
  user: {
    base: TaskController,
    controller: 'controller',
    guards: 'guards',
    guard: UserGuard,
    security: 'user',
    tag: 'tasks',
  },
  worker: {
    base: WorkerTaskController,
    controller: 'cronController',
    guards: 'cronGuards',
    guard: WorkerGuard,
    security: 'worker',
    tag: 'crontask',
  },
  schedule: {
    base: ScheduleController,
    controller: 'scheduleController',
    guards: 'guards',
    guard: UserGuard,
    security: 'user',
    tag: 'schedules',
  },
  batch: {
    base: BatchController,
    controller: 'batchController',
    guards: 'guards',
    guard: UserGuard,
    security: 'user',
    tag: 'batches',
  },
  operator: {
    base: OperatorController,
    controller: 'operatorController',
    guards: 'operatorGuards',
    guard: OperatorGuard,
    security: 'operator',
    tag: 'operator',
  },
};
