import { HttpService } from '@nestjs/axios';
import {
  type DynamicModule,
  Inject,
  type InjectionToken,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
  type Provider,
  type Type,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryModule, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import axios from 'axios';
import { type DataSource, Entity } from 'typeorm';
import { ANSWER_ROOMS, InjectTaskOptions, TASK_OPTIONS, TASK_SERVICE } from './contract/registration.js';
import { Task } from './contract/task.entity.js';
import { AnswerRooms } from './queue/answer-room.js';
import { BOUNDS, type PriorityRange, userPriorityOf } from './validation/rules.js';
import { TaskService } from './service/task.service.js';
import { AnswerHook } from './http/binding/answer-hook.js';
import { BodyHook } from './http/body/body-hook.js';
import { createDtos } from './http/dto/index.js';
import { bindControllers } from './http/binding/bind-controllers.js';
import { Processors } from './processors/processors.js';
import { openDashboard } from './task.dashboard.js';
import { bootstrapQueue, type TaskQueue } from './task.bootstrap.js';
import { checkStructure, checkTogether, prefixProblem, scheduleProblems } from './options/task.checks.js';
import { type OptionProblem, TaskOptionsError } from './contract/options.error.js';
import {
  functionProblems,
  FUNCTIONS,
  type ResolvedTaskOptions,
  resolveStructure,
  resolveValues,
  strangeOptions,
  structureNames,
  type TaskDynamicOptions,
  type TaskModuleAsyncOptions,
  type TaskModuleOptions,
  type TaskStructure,
} from './options/task.options.js';
import { valueNames, valueProblems } from './options/task.values.js';

const TASK_QUEUE = Symbol('TASK_QUEUE');
const TASK_STRUCTURE = Symbol('TASK_STRUCTURE');
/** Callbacks use an HttpService with its own token, because a host's `imports` may provide another one. */
const TASK_HTTP = Symbol('TASK_HTTP');

/** Injection token of a registration's TaskService. For the default registration it is the class itself. */
export const getTaskServiceToken = (name = 'default'): string | typeof TaskService =>
  name === 'default' ? TaskService : `TaskService:${name}`;

/** Injects the TaskService of a named registration. */
export const InjectTaskService = (name = 'default'): ParameterDecorator & PropertyDecorator =>
  Inject(getTaskServiceToken(name));

/**
 * The queue in a host's app. Global, like TypeORM's data source: `TaskService` can be injected everywhere. There may be
 * several registrations, each with its own `name`, `table` and URIs.
 */
@Module({})
export class TaskModule implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  private readonly logger = new Logger('TaskModule');

  constructor(
    @InjectTaskOptions() private readonly options: ResolvedTaskOptions,
    @Inject(TASK_QUEUE) private readonly queue: TaskQueue,
    private readonly processors: Processors,
    private readonly modules: ModulesContainer,
    private readonly app: ApplicationConfig,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Throws a TaskOptionsError if the options cannot work. */
  static forRoot(options: TaskModuleOptions = {}): DynamicModule {
    const strange = strangeOptions(options, [...structureNames(), ...valueNames(), ...FUNCTIONS]);
    if (strange.length > 0) throw new TaskOptionsError(options.name ?? 'default', strange);
    const values = Object.fromEntries(Object.entries(options).filter(([name]) => !structureNames().includes(name)));
    // The result of a factory is not known yet when the routes are documented.
    return TaskModule.register(options, { useFactory: () => values }, userPriorityOf(options.userPriority ?? {}));
  }

  /** The same with plain values from a factory. Options that shape routes and documents stand next to it. */
  static forRootAsync({ useFactory, inject, ...structure }: TaskModuleAsyncOptions): DynamicModule {
    const strange = strangeOptions(structure, structureNames());
    if (strange.length > 0) throw new TaskOptionsError(structure.name ?? 'default', strange);
    return TaskModule.register(structure, { useFactory, inject: inject ?? [] });
  }

  private static register(
    given: Partial<TaskStructure>,
    values: Pick<TaskModuleAsyncOptions, 'useFactory' | 'inject'>,
    priority: PriorityRange = BOUNDS.priority,
  ): DynamicModule {
    const structure = withTable(resolveStructure(given));
    checkStructure(structure);
    const serviceToken = getTaskServiceToken(structure.name);
    const providers: Provider[] = [
      {
        provide: TASK_OPTIONS,
        useFactory: async (...args: unknown[]) => withValues(structure, await values.useFactory(...args)),
        inject: values.inject ?? [],
      },
      { provide: TASK_STRUCTURE, useValue: structure },
      { provide: ANSWER_ROOMS, useFactory: () => new AnswerRooms() },
      { provide: TASK_HTTP, useFactory: () => new HttpService(axios.create()) },
      {
        provide: TASK_QUEUE,
        useFactory: (
          options: ResolvedTaskOptions,
          dataSource: DataSource,
          modules: ModulesContainer,
          http: HttpService,
        ) => {
          checkTogether(structure, otherRegistrations(modules, structure));
          return bootstrapQueue(options, dataSource, { http });
        },
        inject: [TASK_OPTIONS, getDataSourceToken(structure.dataSource), ModulesContainer, TASK_HTTP],
      },
      { provide: TASK_SERVICE, useFactory: (queue: TaskQueue) => queue.service, inject: [TASK_QUEUE] },
      { provide: serviceToken, useExisting: TASK_SERVICE },
      BodyHook,
      AnswerHook,
      Processors,
    ];
    return {
      module: TaskModule,
      global: true,
      imports: [
        ...structure.imports,
        DiscoveryModule,
        TypeOrmModule.forFeature([structure.entity], structure.dataSource),
      ],
      controllers: bindControllers(structure, createDtos(structure), priority),
      providers,
      exports: [serviceToken],
    };
  }

  /** Logs what an operator should know about this start. */
  async onModuleInit(): Promise<void> {
    this.queue.start();
    const { name, cronGuards, workerTokens } = this.options;
    const { deliverCallbacks, callbackUrl, callbackAllow, callbackSecret } = this.options;
    if (this.queue.migrated.length > 0)
      this.logger.log(`'${name}' migrated the database: ${this.queue.migrated.join(', ')}`);
    if (deliverCallbacks && (callbackUrl !== undefined || callbackAllow.length > 0) && callbackSecret === undefined)
      this.logger.warn(
        `'${name}' delivers callbacks unsigned, so receivers cannot tell who sent them; set the option callbackSecret.`,
      );
    openDashboard(this.options, this.adapterHost, this.app);
    await this.warnOfStranded();
    if (workerTokens.length > 0) return;
    if (cronGuards === undefined)
      this.logger.warn(
        `'${name}' refuses every worker; set the option workerTokens (bearer tokens) or cronGuards (your own guards; [] opens the routes to all).`,
      );
    else if (cronGuards.length === 0)
      this.logger.warn(
        `'${name}' lets every caller claim tasks, because cronGuards is [] and there are no workerTokens.`,
      );
  }

  /** Warns of callbacks that were created under other options and that nobody delivers now. */
  private async warnOfStranded(): Promise<void> {
    const { name, deliverCallbacks } = this.options;
    const count = await this.queue.strandedCallbacks();
    if (count === 0) return;
    const [why, remedy] = deliverCallbacks
      ? ['there is neither callbackUrl nor callbackAllow', 'set the one that they were created with']
      : ['deliverCallbacks is off', 'set it'];
    this.logger.warn(
      `'${name}' leaves callbacks pending (${count < 1000 ? count : '1000 or more'}), because ${why}; ${remedy} until ` +
        'they are delivered, or delete them from the table of callbacks.',
    );
  }

  /** Starts when everything that the processors may call is ready. */
  onApplicationBootstrap(): void {
    this.processors.start(registrationsOf(this.modules).map(({ name }) => name));
    const problem = prefixProblem(this.options, this.app);
    if (problem) this.logger.warn(`'${this.options.name}' ${problem}`);
  }

  /**
   * Stops all registrations at once: Nest stops modules one after the other, and the next ones would still claim tasks
   * meanwhile. Claims that wait over HTTP are answered first, because the server waits for its requests to end while
   * processors may need time. Data sources are still open here: they close in later hooks.
   */
  async onModuleDestroy(): Promise<void> {
    for (const queue of allOf<TaskQueue>(this.modules, TASK_QUEUE)) queue.endWaits();
    await Promise.all(allOf<Processors>(this.modules, Processors).map((processors) => processors.close()));
    this.queue.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.queue.close();
  }
}

/** The values of all registrations of the app under this token. */
const allOf = <P>(modules: ModulesContainer, token: InjectionToken): P[] =>
  [...modules.values()].flatMap((module) => (module.providers.get(token)?.instance as P | undefined) ?? []);

/** The app's registrations. Their values exist before any factory runs, so clashes show before anything starts. */
const registrationsOf = (modules: ModulesContainer): TaskStructure[] => allOf(modules, TASK_STRUCTURE);

const otherRegistrations = (modules: ModulesContainer, own: TaskStructure): TaskStructure[] =>
  registrationsOf(modules).filter((structure) => structure !== own);

/** A table with another name needs its own entity class: TypeORM allows one table per class. */
function withTable(structure: TaskStructure): TaskStructure {
  const { table, entity } = structure;
  if (table === undefined || entity !== Task) return structure;
  const Stored: Type<Task> = { [`Task_${table}`]: class extends Task {} }[`Task_${table}`]!;
  Entity(table, { synchronize: false })(Stored);
  return { ...structure, entity: Stored };
}

function withValues(structure: TaskStructure, given: TaskDynamicOptions): ResolvedTaskOptions {
  const values = resolveValues(given);
  const problems = [
    ...strangeOptions(given, [...valueNames(), ...FUNCTIONS]),
    ...functionProblems(given),
    ...valueProblems(values),
    ...initialStatusProblems(values, structure),
    ...scheduleProblems(structure, values.schedules),
  ];
  if (problems.length > 0) throw new TaskOptionsError(structure.name, problems);
  return { ...structure, ...values };
}

function initialStatusProblems({ initialStatus }: TaskDynamicOptions, { status }: TaskStructure): OptionProblem[] {
  if (initialStatus === undefined || [status.INIT, status.BEGIN].includes(initialStatus)) return [];
  const msg = `must be ${status.INIT} (INIT) or ${status.BEGIN} (BEGIN), not ${initialStatus}`;
  return [{ option: 'initialStatus', msg, value: initialStatus }];
}
