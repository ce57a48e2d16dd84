import type { CanActivate, InjectionToken, ModuleMetadata, OptionalFactoryDependency, Type } from '@nestjs/common';
import {
  getMetadataStorage,
  IsArray,
  IsBoolean,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  validateSync,
} from 'class-validator';
import { CallbackValues } from './callback/callback.options.js';
import {
  backoffRule,
  type Backoff,
  LEASE_SECONDS,
  MAX_ATTEMPTS,
  type ServiceOptions,
  servicesRule,
} from './core/policy.js';
import type { Quota } from './core/queue.js';
import { quotaRule, retentionRule } from './core/rules.js';
import { TASK_ERRORS, type TaskErrorCatalogue } from './contract/errors.js';
import { TaskResponse } from './contract/response.js';
import { TASK_STATUS, type TaskStatusCatalogue } from './contract/status.js';
import { Task } from './contract/task.entity.js';
import { CronTaskController } from './http/cron-task.controller.js';
import { Follows } from './http/field.js';
import { TaskController } from './http/task.controller.js';
import { ISO_OFFSET } from './store/offset.js';

type UserId = string | number | null | undefined;
/** Who asks: the owner of the tasks that this request may see and touch, or nothing for nobody. */
export type UserIdResolver = (request: any) => UserId | Promise<UserId>;

/** A guard as `@UseGuards()` takes it. */
export type TaskGuard = Type<CanActivate> | CanActivate;

/** The original's addresses. `{taskId}` stands for the id. */
export class TaskUris {
  /** User: creates a task. @defaultValue '/api/tasks' */
  postTaskUri: string = '/api/tasks';
  /** User: lists own tasks. @defaultValue '/api/tasks' */
  getTaskListUri: string = '/api/tasks';
  /** User: deletes tasks. @defaultValue '/api/tasks' */
  deleteTaskUri: string = '/api/tasks';
  /** User: shows a task. @defaultValue '/api/tasks/{taskId}' */
  getTaskUri: string = '/api/tasks/{taskId}';
  /** User: changes a task. @defaultValue '/api/tasks/{taskId}' */
  putTaskUri: string = '/api/tasks/{taskId}';
  /** Worker: claims tasks (GET, POST), reports on many (PUT). @defaultValue '/api/crontask' */
  getCronTaskUri: string = '/api/crontask';
  /** Worker: reports on a task. @defaultValue '/api/crontask/{taskId}' */
  putCronTaskUri: string = '/api/crontask/{taskId}';
}

/** What shapes routes, providers and the OpenAPI document: must be known when the module is imported. */
export class TaskStructure extends TaskUris {
  /** Name of the registration, for a second one in the same app. @defaultValue 'default' */
  name: string = 'default';
  /** Name of the TypeORM data source. @defaultValue 'default' */
  dataSource: string = 'default';
  /** Name of the task table, where no `entity` says it: at most 48 letters, digits and underscores. @defaultValue the entity's: 'tasks' */
  table?: string;
  /** The entity: a class that extends `Task`; may add columns and override `toResponse()`. @defaultValue Task */
  entity: Type<Task> = Task;
  /** A class whose decorated properties users may send with POST and PUT, for columns of the entity's own. @defaultValue undefined */
  dto?: Type<object>;
  /** The user routes: a class that extends `TaskController`. @defaultValue TaskController */
  controller: Type<TaskController> = TaskController;
  /** The worker routes: a class that extends `CronTaskController`. @defaultValue CronTaskController */
  cronController: Type<CronTaskController> = CronTaskController;
  /** Role of a status -> stored integer, plus statuses of the host's own. @defaultValue TASK_STATUS */
  status: TaskStatusCatalogue = TASK_STATUS as TaskStatusCatalogue;
  /** Name of a failure -> code, text, HTTP status, headers. @defaultValue TASK_ERRORS */
  error: TaskErrorCatalogue = TASK_ERRORS as unknown as TaskErrorCatalogue;
  /** Shapes both envelopes: a class that extends `TaskResponse`. @defaultValue TaskResponse */
  response: Type<TaskResponse> = TaskResponse;
  /** Guards of the user routes. @defaultValue [] */
  guards: TaskGuard[] = [];
  /** Guards of the worker routes. An explicit `[]` without `workerTokens` opens them to everyone. @defaultValue undefined */
  cronGuards?: TaskGuard[];
  /** Modules whose exports the guards and controllers need. @defaultValue [] */
  imports: NonNullable<ModuleMetadata['imports']> = [];
}

/** What may come from a factory: plain values, read when the app starts. */
export class TaskValues extends CallbackValues {
  /** Service of a task that names none. At most 64 characters. @defaultValue 'default' */
  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  defaultService: string = 'default';

  /** Status of a task that names none: INIT's or BEGIN's integer. @defaultValue INIT's: 0 */
  @IsOptional()
  @IsInt()
  initialStatus?: number;

  /** Seconds that a claim holds without a report, 1 to 86,400, where it doesn't say itself. @defaultValue 300 */
  @IsInt()
  @Min(LEASE_SECONDS.min)
  @Max(LEASE_SECONDS.max)
  lease: number = 300;

  /**
   * The same for a claim of the original's form, whose worker may say nothing until the end.
   * @defaultValue 43200
   */
  @IsInt()
  @Min(LEASE_SECONDS.min)
  @Max(LEASE_SECONDS.max)
  legacyLease: number = 43_200;

  /** Refuses reports that carry no `leaseToken`: shuts out the original's workers. @defaultValue false */
  @IsBoolean()
  requireLease: boolean = false;

  /** Attempts until a task has failed for good, 1 to 1,000; a task may say otherwise. @defaultValue 3 */
  @IsInt()
  @Min(MAX_ATTEMPTS.min)
  @Max(MAX_ATTEMPTS.max)
  maxAttempts: number = 3;

  /**
   * Seconds that a task rests after a failure that may be retried: `base` after the first, doubled after each further
   * one, `max` at most, plus up to the share `jitter` of it at random.
   * @defaultValue { base: 10, max: 3600, jitter: 0.2 }
   */
  @Follows(backoffRule)
  backoff: Partial<Backoff> = {};

  /**
   * What single services do otherwise: service -> `{ lease, legacyLease, maxAttempts, backoff }`, each optional.
   * @defaultValue {}
   */
  @Follows(servicesRule)
  services: Record<string, ServiceOptions> = {};

  /**
   * Most tasks of an owner that have not ended, exactly; a number, or in code a function of the owner (undefined: no
   * bound). Beyond it TOO_MANY_TASK.
   * @defaultValue undefined
   */
  @IsOptional()
  @Follows(quotaRule)
  maxActiveTasks?: Quota;

  /** Seconds that the idempotency keys of creates are kept: a minute to 30 days. @defaultValue 86400 */
  @IsInt()
  @Min(60)
  @Max(2_592_000)
  idempotencyTtl: number = 86_400;

  /** Most claims that wait for a task at once, in this process; beyond it TOO_MANY_REQUESTS. @defaultValue 1000 */
  @IsInt()
  @Min(1)
  @Max(100_000)
  maxWaiters: number = 1000;

  /**
   * Days that ended tasks are kept, `{ finished, failed }`; `failed` counts for cancelled ones, too. Left out: for ever.
   * @defaultValue {}
   */
  @Follows(retentionRule)
  retention: { finished?: number; failed?: number } = {};

  /** Bearer tokens that open the worker routes, each at least 16 characters. @defaultValue [] */
  @IsArray()
  @IsString({ each: true })
  @Matches(/^[\x21-\x7e]{16,}$/, {
    each: true,
    message: 'each of workerTokens must be at least 16 printable characters',
  })
  workerTokens: string[] = [];

  /** Largest request body on the module's routes, in bytes: 1 KiB to 64 MiB. @defaultValue 1048576 */
  @IsInt()
  @Min(1024)
  @Max(67_108_864)
  bodyLimit: number = 1_048_576;

  /**
   * Offset from UTC in which an adopted table's `created_at` and `updated_at` are written, such as `+08:00`. Every
   * other time is UTC by the database's clock. @defaultValue '+00:00'
   */
  @Matches(ISO_OFFSET, { message: 'timeZone must be an offset such as +08:00' })
  timeZone: string = '+00:00';

  /** Whether pending migrations run at start, under a lock. Without it the start checks the schema. @defaultValue true */
  @IsBoolean()
  migrate: boolean = true;
}

/** What may come from a factory, functions included. */
export interface TaskDynamicOptions extends Partial<TaskValues> {
  /** Owner that a request speaks for, or nothing for nobody. @defaultValue request.user.id, else request.user.sub */
  userId?: UserIdResolver;
}

export interface TaskModuleOptions extends Partial<TaskStructure>, TaskDynamicOptions {}

export interface TaskModuleAsyncOptions extends Partial<TaskStructure> {
  useFactory: (...args: any[]) => TaskDynamicOptions | Promise<TaskDynamicOptions>;
  inject?: (InjectionToken | OptionalFactoryDependency)[];
}

/** Structure and values, defaults filled in. */
export interface ResolvedTaskOptions extends TaskStructure, TaskValues {
  userId: UserIdResolver;
}

/** Options that are wrong: each problem names the option, what it holds and what it may hold. */
export class TaskOptionsError extends Error {
  constructor(
    registration: string,
    readonly problems: OptionProblem[],
  ) {
    super(
      `TaskModule '${registration}' can't start:\n` +
        problems.map(({ option, msg }) => `  - ${option}: ${msg}`).join('\n'),
    );
    this.name = 'TaskOptionsError';
  }
}
export interface OptionProblem {
  option: string;
  msg: string;
  value?: unknown;
}

export const defaultUserId: UserIdResolver = (request) => request?.user?.id ?? request?.user?.sub;

export const resolveStructure = (options: Partial<TaskStructure>): TaskStructure => ({
  ...new TaskStructure(),
  ...pick(options, structureNames()),
});

export const resolveValues = (options: TaskDynamicOptions): TaskValues & { userId: UserIdResolver } => ({
  userId: options.userId ?? defaultUserId,
  ...new TaskValues(),
  ...pick(options, valueNames()),
});

/** Names of the options that shape a registration. */
export const structureNames = (): string[] => [...Object.keys(new TaskStructure()), 'table', 'dto', 'cronGuards'];

/** Names of the plain values: each is held to a rule. */
export const valueNames = (): (keyof TaskValues)[] => [
  ...new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(TaskValues, '', false, false)
      .map((metadata) => metadata.propertyName as keyof TaskValues),
  ),
];

/** Options that nobody reads here: misspelt, or on the wrong side of a factory. */
export function strangeOptions(given: object, known: readonly string[]): OptionProblem[] {
  return Object.entries(given)
    .filter(([option, value]) => value !== undefined && !known.includes(option))
    .map(([option]) => ({
      option,
      msg: structureNames().includes(option)
        ? 'shapes routes and documents: give it beside useFactory'
        : [...valueNames(), 'userId'].includes(option)
          ? 'is a value: return it from useFactory'
          : `there is no such option; there are ${known.join(', ')}`,
    }));
}

/** An explicit undefined does not erase a default. */
function pick<T extends object>(options: T, names: string[]): Partial<T> {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => value !== undefined && names.includes(name)),
  ) as Partial<T>;
}

/** Problems of plain values, by the rules that stand beside each option. */
export function valueProblems(values: TaskDynamicOptions): OptionProblem[] {
  const checked = Object.assign(new TaskValues(), values);
  return validateSync(checked, { forbidUnknownValues: false }).map(({ property, value, constraints }) => ({
    option: property,
    value: value as unknown,
    msg: Object.values(constraints ?? {}).join('; '),
  }));
}
