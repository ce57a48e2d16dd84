import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { IsArray, IsBoolean, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import type { CallbackValues } from '../callbacks/callbacks.options.js';
import type { ContractStructure } from '../contract/contract.options.js';
import type { OperatorValues } from '../operator/operator.options.js';
import type { QueueValues } from '../queue/queue.options.js';
import type { SchedulesValues } from '../schedules/schedules.options.js';
import type { SchemaValues } from '../schema/schema.options.js';
import { URIS } from '../protocol/uris.js';
import { Follows } from '../validation/field.js';
import { type PriorityRange, userPriorityRule } from '../validation/rules.js';

type UserId = string | number | null | undefined;
/** Returns the owner for whom a request acts: it sees and changes the tasks of this owner. Nothing means nobody. */
export type UserIdResolver = (request: any) => UserId | Promise<UserId>;

/** What an operator may do: everything, or only read. Nothing: the request is refused. */
export type OperatorAccess = 'all' | 'read' | undefined;
export type OperatorAccessResolver = (request: any) => OperatorAccess | Promise<OperatorAccess>;

/** A guard, as for `@UseGuards()`. */
export type TaskGuard = Type<CanActivate> | CanActivate;

/** The paths of the routes. By default they are those of the legacy API. `{taskId}` stands for the id. */
export class TaskUris {
  /** User: creates a task. @defaultValue '/api/tasks' */
  postTaskUri: string = URIS.postTaskUri;
  /** User: lists own tasks. @defaultValue '/api/tasks' */
  getTaskListUri: string = URIS.getTaskListUri;
  /**
   * User: lists own tasks, with the parameters in the body.
   * @defaultValue `getTaskListUri` and '/list': '/api/tasks/list'
   */
  postTaskListUri: string = URIS.postTaskListUri;
  /** User: watches tasks. @defaultValue `getTaskListUri` and '/events': '/api/tasks/events' */
  getTaskEventsUri: string = URIS.getTaskEventsUri;
  /** User: deletes tasks. @defaultValue '/api/tasks' */
  deleteTaskUri: string = URIS.deleteTaskUri;
  /** User: shows a task. @defaultValue '/api/tasks/{taskId}' */
  getTaskUri: string = URIS.getTaskUri;
  /** User: changes a task. @defaultValue '/api/tasks/{taskId}' */
  putTaskUri: string = URIS.putTaskUri;
  /** Worker: claims tasks (GET, POST), reports on several tasks (PUT). @defaultValue '/api/crontask' */
  getCronTaskUri: string = URIS.getCronTaskUri;
  /** Worker: reports on a task. @defaultValue '/api/crontask/{taskId}' */
  putCronTaskUri: string = URIS.putCronTaskUri;
  /**
   * User: what the routes of schedules begin with, such as '/api/schedules', or 'off'. Needs option `schedules`.
   * @defaultValue 'off'; of the standalone server: '/api/schedules'
   */
  scheduleUri: string = 'off';
  /**
   * User: what the routes of batches begin with, such as '/api/batches', or 'off'.
   * @defaultValue 'off'; of the standalone server: '/api/batches'
   */
  batchUri: string = 'off';
  /**
   * Operator: what all operator routes begin with. @defaultValue '/api/operator'; of a registration with a `name`:
   * '/api/operator-' and the name
   */
  operatorUri: string = URIS.operatorUri;
}

/** Routes of the paths that are 'off' are not there. Only these may be. */
export const OPTIONAL_URIS: readonly (keyof TaskUris)[] = ['scheduleUri', 'batchUri'];

/** Options that shape the routes and the OpenAPI document, besides the paths. */
export class HttpStructure {
  /**
   * A class whose decorated properties users may send with POST and PUT, for the host's own columns.
   * @defaultValue undefined
   */
  dto?: Type<object>;

  /** Guards of the user routes. @defaultValue [] */
  guards: TaskGuard[] = [];

  /**
   * Guards of the worker routes. An explicit `[]` without `workerTokens` opens them to everyone.
   * @defaultValue undefined
   */
  cronGuards?: TaskGuard[];

  /** Guards of the operator routes. An explicit `[]` without `operatorTokens` opens them to everyone. @defaultValue undefined */
  operatorGuards?: TaskGuard[];

  /** Modules whose exports the guards and controllers need. @defaultValue [] */
  imports: NonNullable<ModuleMetadata['imports']> = [];
}

/** Options that the routes check requests against. */
export class HttpValues {
  /**
   * Priorities that users may give their tasks: `{ min, max }`, each from -32,768 to 32,767. Lower ones run first.
   * Others are refused with INVALID_PARAM. Code of the host (`TaskService`, an overridden `create`) may use any
   * priority.
   * @defaultValue { min: 0, max: 32767 }
   */
  @Follows(userPriorityRule)
  userPriority: Partial<PriorityRange> = {};

  /** Bearer tokens that open the worker routes, each at least 16 characters. @defaultValue [] */
  @IsArray()
  @IsString({ each: true })
  @Matches(/^[\x21-\x7e]{16,}$/, {
    each: true,
    message: 'each of workerTokens must be at least 16 printable characters',
  })
  workerTokens: string[] = [];

  /**
   * Refuses unknown parameters with INVALID_PARAM. If false, they are ignored, and the header `X-Task-Ignored` of the
   * answer names them. @defaultValue false
   */
  @IsBoolean()
  strictFields: boolean = false;

  /** Largest request body on the module's routes, in bytes: 1 KiB to 64 MiB. @defaultValue 1048576 */
  @IsInt()
  @Min(1024)
  @Max(67_108_864)
  bodyLimit: number = 1_048_576;
}

/** Options that shape the routes, without the controllers. */
export interface RouteStructure extends ContractStructure, TaskUris, HttpStructure {}

/** Options that the routes read: all of the registration except the controllers. */
export interface HttpSettings
  extends RouteStructure, HttpValues, OperatorValues, QueueValues, CallbackValues, SchedulesValues, SchemaValues {
  userId: UserIdResolver;
  operatorAccess: OperatorAccessResolver;
}
