import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type LogLevel, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IsString } from 'class-validator';
import { Entity } from 'typeorm';
import {
  Task,
  TASK_ERRORS,
  TASK_STATUS,
  TaskController,
  TaskModule,
  type TaskModuleOptions,
  TaskOptionsError,
} from '../../../src/index.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { createAdapter } from '../../support/host.js';
import { VideoTask, videoMigrations, VIDEO_STATUS } from '../../support/swapped.js';

class Stranger {}

@Controller('/mine')
class Placed extends TaskController {}

class NoDecorators {
  title?: string;
}

class Unstored {
  @IsString()
  subtitle!: string;
}

class Greedy {
  @IsString()
  leaseToken!: string;
}

@Entity('tasks', { synchronize: false })
class OtherTask extends Task {}

const without = (catalogue: object, name: string) =>
  Object.fromEntries(Object.entries(catalogue).filter(([key]) => key !== name));
const noWaiting = without(TASK_STATUS, 'WAITING');
const noLeaseLost = without(TASK_ERRORS, 'LEASE_LOST');

/** Wrong on purpose: what TypeScript would have told, a JavaScript host hears at boot. */
const wrong = (options: Record<string, unknown>) => options as TaskModuleOptions;

/** [options, the option that is named, culprit, remedy] */
const STRUCTURE: [TaskModuleOptions, string, string, string][] = [
  [wrong({ entity: Stranger }), 'entity', 'Stranger does not extend Task', 'class … extends Task'],
  [wrong({ controller: Stranger }), 'controller', 'Stranger does not extend TaskController', 'extends TaskController'],
  [
    wrong({ cronController: TaskController }),
    'cronController',
    'TaskController does not',
    'extends WorkerTaskController',
  ],
  [wrong({ response: 'json' }), 'response', '"json" does not extend TaskResponse', 'extends TaskResponse'],
  [{ controller: Placed }, 'controller', 'Placed has its own path "/mine"', 'set the URIs by options'],
  [wrong({ status: noWaiting }), 'status', 'role WAITING is missing', 'its default is 5'],
  [{ status: { ...TASK_STATUS, MINE: 20 } }, 'status', 'START and MINE are both 20', ''],
  [{ status: { ...TASK_STATUS, BEGIN: 1.5 } }, 'status', 'BEGIN must be a 32-bit integer', 'not 1.5'],
  [wrong({ status: { ...TASK_STATUS, BEGIN: '10' } }), 'status', 'BEGIN must be a 32-bit integer', 'not "10"'],
  [wrong({ error: noLeaseLost }), 'error', 'entry LEASE_LOST is missing', ''],
  [
    { error: { ...TASK_ERRORS, MINE: { code: 1, msg: 'x', httpCode: 200 } } },
    'error',
    'MINE.httpCode',
    'from 400 to 599',
  ],
  [{ table: 'my-tasks' }, 'table', 'not "my-tasks"', 'letters, digits and underscores'],
  [{ dto: NoDecorators }, 'dto', 'NoDecorators has no property', 'class-validator decorator'],
  [{ dto: Greedy }, 'dto', 'Greedy.leaseToken is a column of the queue', 'rename your column'],
  [{ getTaskUri: '/api/tasks' }, 'getTaskUri', 'it is /api/tasks', 'must contain {taskId}'],
  [{ postTaskUri: '/x/{taskId}' }, 'postTaskUri', 'it is /x/{taskId}', 'must not contain {taskId}'],
  [{ postTaskUri: 'api/tasks' }, 'postTaskUri', 'not "api/tasks"', 'must be a path such as /api/tasks'],
  [{ getTaskUri: '/api/tasks/:taskId' }, 'getTaskUri', 'not "/api/tasks/:taskId"', 'must be a path'],
  [{ getCronTaskUri: '/api/tasks' }, 'getCronTaskUri', 'GET /api/tasks is already getTaskListUri', ''],
];

const VALUES: [TaskModuleOptions, string, string][] = [
  [{ workerTokens: ['short'] }, 'workerTokens', 'at least 16 printable characters'],
  [wrong({ workerTokens: 'a-token-that-is-no-list' }), 'workerTokens', 'must be an array'],
  [{ callbackUrl: 'ftp://example.com/done' }, 'callbackUrl', 'must be an http:// or https:// URL'],
  [{ callbackUrl: '/done' }, 'callbackUrl', 'must be an http:// or https:// URL'],
  [wrong({ callbackUrl: 7 }), 'callbackUrl', 'must be an http:// or https:// URL'],
  [{ callbackSecret: 'a secret' }, 'callbackSecret', 'must be whsec_ and the base64 of 24 to 64 random bytes'],
  [{ callbackSecret: [] }, 'callbackSecret', 'must be whsec_'],
  // Base64 that Node takes, and other languages do not.
  ...[33, 34, 35].map((length): [TaskModuleOptions, string, string] => [
    { callbackSecret: `whsec_${'A'.repeat(length)}` },
    'callbackSecret',
    'must be whsec_ and the base64',
  ]),
  [{ callbackSecret: `whsec_${'A'.repeat(28)}` }, 'callbackSecret', 'make one with: echo "whsec_$(openssl'],
  [{ callbackAllow: ['hooks.example.com'] }, 'callbackAllow', '"hooks.example.com" is not an origin'],
  [{ callbackAllow: ['http://jobs.internal 10/8'] }, 'callbackAllow', 'has 10/8, which is not a network'],
  [{ callbackAllow: ['https://*.example.com'] }, 'callbackAllow', 'has a wildcard; list each origin separately'],
  [
    { callbackAllow: ['http://a.example', 'http://a.example'] },
    'callbackAllow',
    'names http://a.example a second time',
  ],
  [{ callbackUrl: `http://a.example/${'x'.repeat(8000)}` }, 'callbackUrl', 'must be at most 8000 characters'],
  [{ callbackRetry: { delays: [-1] } }, 'callbackRetry', 'times from 0 to 2592000 seconds'],
  [{ callbackRetry: { jitter: 2 } }, 'callbackRetry', 'jitter as a share from 0 to 1, not 2'],
  [wrong({ callbackRetry: { schedule: [1] } }), 'callbackRetry', 'has no schedule; it has delays, jitter'],
  [wrong({ onOperator: 'log' }), 'onOperator', 'must be a function'],
  [{ callbackTimeout: 0 }, 'callbackTimeout', 'must not be less than 1'],
  [{ callbackRetention: -1 }, 'callbackRetention', 'must not be less than 0'],
  [wrong({ deliverCallbacks: 'no' }), 'deliverCallbacks', 'must be a boolean value'],
  [{ timeZone: 'Europe/Berlin' }, 'timeZone', 'an offset such as +08:00'],
  [{ bodyLimit: 10 }, 'bodyLimit', 'must not be less than 1024'],
  [{ defaultService: '' }, 'defaultService', 'should not be empty'],
  [{ defaultService: 'x'.repeat(65) }, 'defaultService', 'shorter than or equal to 64'],
  [{ initialStatus: 20 }, 'initialStatus', 'must be 0 (INIT) or 10 (BEGIN), not 20'],
  [{ lease: 0 }, 'lease', 'must not be less than 1'],
  [{ legacyLease: 86_401 }, 'legacyLease', 'must not be greater than 86400'],
  [{ maxAttempts: 1.5 }, 'maxAttempts', 'must be an integer'],
  [wrong({ backoff: 10 }), 'backoff', 'must be an object { base, max, jitter }'],
  [{ backoff: { base: 7200 } }, 'backoff', 'base (7200) no greater than max (3600)'],
  [{ backoff: { jitter: 2 } }, 'backoff', 'jitter in a share from 0 to 1, not 2'],
  [wrong({ backoff: { factor: 2 } }), 'backoff', 'has no factor; it has base, max, jitter'],
  [wrong({ services: { video: { leese: 1 } } }), 'services', 'has no leese for video; it has lease'],
  [{ services: { video: { lease: 0 } } }, 'services', 'video.lease must be whole seconds from 1 to 86400'],
  [{ services: { video: { backoff: { max: -1 } } } }, 'services', 'video.backoff must have max in seconds'],
  [{ services: { video: { maxRunning: 0 } } }, 'services', 'video.maxRunning must not be less than 1'],
  [
    { services: { video: { rate: { max: 1, per: 0 } } } },
    'services',
    'video.rate must have per, which must not be less',
  ],
  [wrong({ services: { video: { rate: { max: 1, per: 1, x: 1 } } } }), 'services', 'video.rate has no x; it has max'],
  [
    { services: { video: { pausedUntil: '2030-01-01T00:00:00Z' } } },
    'services',
    'video.pausedUntil needs paused: true',
  ],
  [{ services: { ['x'.repeat(65)]: {} } }, 'services', 'must be at most 64 characters'],
  [{ maxActiveTasks: 0 }, 'maxActiveTasks', 'an integer from 1, or a function of the owner'],
  [{ userPriority: { min: 1, max: 0 } }, 'userPriority', 'must have min (1) no greater than max (0)'],
  [{ userPriority: { min: -32_769 } }, 'userPriority', 'must be { min, max }: integers from -32768 to 32767'],
  [{ userPriority: { max: 0.5 } }, 'userPriority', 'must be { min, max }: integers'],
  [wrong({ userPriority: { least: 1 } }), 'userPriority', 'must be { min, max }: integers'],
  [wrong({ userPriority: 5 }), 'userPriority', 'must be { min, max }: integers'],
  [{ idempotencyTtl: 1 }, 'idempotencyTtl', 'must not be less than 60'],
  [{ maxWaiters: 0 }, 'maxWaiters', 'must not be less than 1'],
  [{ retention: { finished: -1 } }, 'retention', 'days from 0 to 36500'],
  [wrong({ retention: { ended: 1 } }), 'retention', 'must be { finished, failed }'],
];

describe('misuse of the module is found at boot, with culprit and remedy', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase('sqlite');
  });
  afterAll(() => database?.drop());

  const log: [level: string, message: string][] = [];
  const note = (level: string) => (message: unknown) => void log.push([level, String(message)]);
  const logger = Object.fromEntries(
    (['log', 'warn', 'error', 'debug', 'verbose', 'fatal'] as LogLevel[]).map((level) => [level, note(level)]),
  ) as never;

  /** Starts an app of these modules, closes it, and answers why it did not start. */
  async function boot(modules: unknown[], typeorm: object = {}): Promise<string> {
    log.length = 0;
    const own = await createDatabase('sqlite');
    class AppModule {}
    const options = { ...own.options(), autoLoadEntities: true, retryAttempts: 1, ...typeorm };
    Module({ imports: [TypeOrmModule.forRoot(options), ...(modules as [])] })(AppModule);
    try {
      const app = await NestFactory.create(AppModule, createAdapter('fastify'), { abortOnError: false, logger });
      try {
        await app.init();
      } finally {
        await app.close();
      }
      return 'started';
    } catch (error) {
      return (error as Error).message;
    } finally {
      await own.drop();
    }
  }

  it.each(STRUCTURE)('%j: %s', (options, option, culprit, remedy) => {
    const failure = (() => {
      try {
        TaskModule.forRoot(options);
      } catch (error) {
        return error as TaskOptionsError;
      }
      throw new Error('the options were taken');
    })();
    expect(failure).toBeInstanceOf(TaskOptionsError);
    expect(failure.message).toContain(`TaskModule 'default' can't start:\n  - ${option}: `);
    expect(failure.message).toContain(culprit);
    expect(failure.message).toContain(remedy);
    expect(failure.problems.map((problem) => problem.option)).toContain(option);
  });

  it('every problem at once', () => {
    const options = wrong({ name: 'films', entity: Stranger, status: noWaiting, getTaskUri: '/x' });
    expect(() => TaskModule.forRoot(options)).toThrow(
      /^TaskModule 'films' can't start:\n {2}- entity: .+\n {2}- getTaskUri: .+\n {2}- status: .+$/,
    );
  });

  it.each(VALUES)('%j', async (options, option, remedy) => {
    for (const module of [TaskModule.forRoot(options), TaskModule.forRootAsync({ useFactory: async () => options })]) {
      const message = await boot([module]);
      expect(message).toContain(`  - ${option}: `);
      expect(message).toContain(remedy);
    }
  });

  it('an entity that is not in the data source', async () => {
    const message = await boot([TaskModule.forRoot()], { autoLoadEntities: false, entities: [] });
    expect(message).toContain('Task is not in the data source');
    expect(message).toContain('autoLoadEntities: true');
  });

  it("an entity that isn't decorated itself", async () => {
    class Bare extends Task {}
    const message = await boot([TaskModule.forRoot({ entity: Bare })]);
    expect(message).toContain('Bare is not in the data source');
    expect(message).toContain(`@Entity('tasks', { synchronize: false })`);
  });

  it('a field of the dto that is no column', async () => {
    const message = await boot([TaskModule.forRoot({ dto: Unstored })]);
    expect(message).toContain('Unstored.subtitle is not a column of Task; add an @Column()');
  });

  it('a table that is not the one of the entity', async () => {
    const options = { entity: VideoTask, table: 'films', status: VIDEO_STATUS };
    const message = await boot([TaskModule.forRoot(options)], videoMigrations());
    expect(message).toContain('table: is films, but VideoTask is stored in videos; remove the option');
  });

  const URIS = {
    postTaskUri: '/b',
    getTaskListUri: '/b',
    deleteTaskUri: '/b',
    getTaskUri: '/b/{taskId}',
    putTaskUri: '/b/{taskId}',
    getCronTaskUri: '/c',
    putCronTaskUri: '/c/{taskId}',
  };

  it('two registrations of one name', async () => {
    const message = await boot([TaskModule.forRoot(), TaskModule.forRoot({ table: 'other', ...URIS })]);
    expect(message).toContain("name: two registrations are called 'default'; rename one of them");
  });

  it('two registrations on the same URIs', async () => {
    const message = await boot([TaskModule.forRoot(), TaskModule.forRoot({ name: 'b', table: 'other' })]);
    expect(message).toMatch(
      /postTaskUri: registration '(b|default)' also serves POST \/api\/tasks; give one of them another URI/,
    );
  });

  it.each([
    ['by default', {}, {}],
    ['by option', { table: 'films' }, { table: 'films' }],
    ['by option and by default', {}, { table: 'tasks' }],
    ['by two entities', {}, { entity: OtherTask }],
  ])('two registrations on one table, %s', async (_how, first, second) => {
    const message = await boot([TaskModule.forRoot(first), TaskModule.forRoot({ name: 'b', ...URIS, ...second })]);
    expect(message).toMatch(
      /table: registration '(b|default)' also uses table (tasks|films); give one of them another `table`/,
    );
  });

  it('an explicit undefined leaves the default alone', async () => {
    const names = ['entity', 'controller', 'status', 'error', 'response', 'postTaskUri', 'guards', 'imports', 'name'];
    const values = [
      'defaultService',
      'callbackUrl',
      'deliverCallbacks',
      'callbackAllow',
      'workerTokens',
      'bodyLimit',
      'timeZone',
      'migrate',
      'userId',
    ];
    const options = wrong(Object.fromEntries([...names, ...values].map((name) => [name, undefined])));
    expect(await boot([TaskModule.forRoot(options)])).toBe('started');
    expect(await boot([TaskModule.forRootAsync({ ...options, useFactory: () => options })])).toBe('started');
  });

  const warnings = () => log.filter(([level]) => level === 'warn').map(([, message]) => message);

  it('worker routes that nobody can enter: a warning that says what to give', async () => {
    expect(await boot([TaskModule.forRoot()])).toBe('started');
    expect(warnings()).toEqual([expect.stringMatching(/'default' refuses every worker; .*workerTokens.*cronGuards/)]);
  });

  it('worker routes that everybody can enter: a warning', async () => {
    expect(await boot([TaskModule.forRoot({ cronGuards: [] })])).toBe('started');
    expect(warnings()).toEqual([expect.stringContaining("'default' lets every caller claim tasks")]);
  });

  it('worker routes behind tokens or guards: no warning', async () => {
    expect(await boot([TaskModule.forRoot({ workerTokens: ['a-token-of-16-chars'] })])).toBe('started');
    expect(warnings()).toEqual([]);
    expect(await boot([TaskModule.forRoot({ cronGuards: [{ canActivate: () => true }] })])).toBe('started');
    expect(warnings()).toEqual([]);
  });
});
