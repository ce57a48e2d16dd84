import type { CanActivate, Type } from '@nestjs/common';
import type { RouteStructure } from '../http.options.js';
import { TaskController } from '../task.controller.js';
import { UserGuard } from '../guards/user.guard.js';
import { WorkerGuard } from '../guards/worker.guard.js';
import { WorkerTaskController } from '../worker-task.controller.js';
import type { Audience } from './route-table.js';

/** The classes that the routes are bound to: of this module's, or a host's that extends it. */
export interface BoundControllers {
  controller: Type;
  cronController: Type;
}

/** Who calls a route. */
export interface AudienceDefinition {
  /** Our controller. */
  base: Type;
  /** The option that puts a host's in its place. */
  controller: keyof BoundControllers;
  /** The option with the host's guards. */
  guards: keyof Pick<RouteStructure, 'guards' | 'cronGuards'>;
  /** Our guard, after those. */
  guard: Type<CanActivate>;
  /** Its security scheme in the OpenAPI document. */
  security: string;
  tag: string;
}

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
};
