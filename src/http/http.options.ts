import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { IsArray, IsBoolean, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import type { CallbackValues } from '../callbacks/callbacks.options.js';
import type { ContractStructure } from '../contract/contract.options.js';
import type { QueueValues } from '../queue/queue.options.js';
import type { SchemaValues } from '../schema/schema.options.js';
import { URIS } from '../protocol/uris.js';
import { Follows } from '../validation/field.js';
import { type PriorityRange, userPriorityRule } from '../validation/rules.js';

type UserId = string | number | null | undefined;
/** Who asks: the owner of the tasks that this request may see and touch, or nothing for nobody. */
export type UserIdResolver = (request: any) => UserId | Promise<UserId>;

/** A guard as `@UseGuards()` takes it. */
export type TaskGuard = Type<CanActivate> | CanActivate;

/** The original's addresses. `{taskId}` stands for the id. */
export class TaskUris {
  /** User: creates a task. @defaultValue '/api/tasks' */
  postTaskUri: string = URIS.postTaskUri;
  /** User: lists own tasks. @defaultValue '/api/tasks' */
  getTaskListUri: string = URIS.getTaskListUri;
  /** User: lists own tasks, the parameters in the body. @defaultValue `getTaskListUri` and '/list': '/api/tasks/list' */
  postTaskListUri: string = URIS.postTaskListUri;
  /** User: deletes tasks. @defaultValue '/api/tasks' */
  deleteTaskUri: string = URIS.deleteTaskUri;
  /** User: shows a task. @defaultValue '/api/tasks/{taskId}' */
  getTaskUri: string = URIS.getTaskUri;
  /** User: changes a task. @defaultValue '/api/tasks/{taskId}' */
  putTaskUri: string = URIS.putTaskUri;
  /** Worker: claims tasks (GET, POST), reports on many (PUT). @defaultValue '/api/crontask' */
  getCronTaskUri: string = URIS.getCronTaskUri;
  /** Worker: reports on a task. @defaultValue '/api/crontask/{taskId}' */
  putCronTaskUri: string = URIS.putCronTaskUri;
}

/** What shapes the routes and the document besides their addresses. */
export class HttpStructure {
  /** A class whose decorated properties users may send with POST and PUT, for columns of the entity's own. @defaultValue undefined */
  dto?: Type<object>;

  /** Guards of the user routes. @defaultValue [] */
  guards: TaskGuard[] = [];

  /** Guards of the worker routes. An explicit `[]` without `workerTokens` opens them to everyone. @defaultValue undefined */
  cronGuards?: TaskGuard[];

  /** Modules whose exports the guards and controllers need. @defaultValue [] */
  imports: NonNullable<ModuleMetadata['imports']> = [];
}

/** What users and workers are held to on the routes. */
export class HttpValues {
  /**
   * Priorities that users may give their tasks, the lower the sooner: `{ min, max }`, each from -32,768 to 32,767. Outside
   * of it INVALID_PARAM. Code of the host's own (`TaskService`, an overridden `create`) may give any.
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
   * Refuses parameters that there are none of, by INVALID_PARAM. Without it they are ignored, and named in the answer's
   * header `X-Task-Ignored`. @defaultValue false
   */
  @IsBoolean()
  strictFields: boolean = false;

  /** Largest request body on the module's routes, in bytes: 1 KiB to 64 MiB. @defaultValue 1048576 */
  @IsInt()
  @Min(1024)
  @Max(67_108_864)
  bodyLimit: number = 1_048_576;
}

/** What shapes the routes, without their two controllers. */
export interface RouteStructure extends ContractStructure, TaskUris, HttpStructure {}

/** What the routes read: every option of the registration but for its two controllers. */
export interface HttpSettings extends RouteStructure, HttpValues, QueueValues, CallbackValues, SchemaValues {
  userId: UserIdResolver;
}
