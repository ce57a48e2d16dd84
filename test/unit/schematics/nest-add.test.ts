import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { needBuild } from '../../support/build.js';

const ROOT = resolve(import.meta.dirname, '../../..');

interface Case {
  files?: Record<string, string | null>;
  options?: Record<string, string>;
  times?: number;
}
interface Run {
  files: Record<string, string>;
  tasks: string[];
  log: string[];
}

const packageOf = (core: string, more: object = {}): string =>
  `${JSON.stringify({ name: 'app', scripts: { a: 'b' }, dependencies: { '@nestjs/core': core, rxjs: '^7.8.1', ...more } }, null, 4)}\n`;
const moduleOf = (imports: string, more = ''): string =>
  `import { Module } from "@nestjs/common";\n${more}\n@Module({ ${imports} })\nexport class AppModule {}\n`;
const TYPEORM = `import { TypeOrmModule } from '@nestjs/typeorm';\nexport const database = TypeOrmModule.forRoot({ type: 'mariadb' });\n`;

const CASES = {
  fresh: { times: 2 },
  'with a new data source': { options: { database: 'mysql' }, times: 2 },
  'NestJS 11': { files: { '/package.json': packageOf('^11.0.1', { axios: '1.8.0', typeorm: '^0.3.20' }) } },
  'NestJS 10': { files: { '/package.json': packageOf('^10.4.0') } },
  'no package.json': { files: { '/package.json': null } },
  'a range that names no version': { files: { '/package.json': packageOf('latest') } },
  'a data source in the code': { files: { '/src/database.ts': TYPEORM }, options: { database: 'postgres' } },
  'a driver that is there': { files: { '/package.json': packageOf('^12.0.0', { pg: '^8.11.0' }) } },
  'an .env that is there': { files: { '/.env': 'PORT=80\nWORKER_TOKEN=mine', '/.gitignore': 'dist\n' } },
  'an .env with other keys': { files: { '/.env': 'PORT=80\r\nOTHER=1', '/.gitignore': '.env\n' } },
  'other imports': { files: { '/src/app.module.ts': moduleOf('imports: [Other], providers: []') } },
  'no imports': { files: { '/src/app.module.ts': moduleOf('providers: []') } },
  'imports that are no list': { files: { '/src/app.module.ts': moduleOf('imports: common') } },
  'no @Module': { files: { '/src/app.module.ts': 'export class AppModule {}\n' } },
  'a queue in another module': {
    files: {
      '/src/tasks.module.ts': `import { TaskModule } from '@softdd/task';\nexport const tasks = TaskModule.forRootAsync({});\n`,
    },
  },
  'an import that is there': {
    files: { '/src/app.module.ts': moduleOf('imports: []', `import { Task, TaskModule } from '@softdd/task';\n`) },
  },
  'no app.module.ts': { files: { '/src/app.module.ts': null } },
  'another app of a monorepo': {
    files: { '/src/app.module.ts': null, '/apps/api/src/app.module.ts': moduleOf('imports: []') },
    options: { sourceRoot: 'apps/api/src' },
  },
  'another database': { options: { database: 'oracle' } },
} satisfies Record<string, Case>;
type Name = keyof typeof CASES;

describe('nest add @softdd/task', () => {
  let results: Map<string, { runs?: Run[]; error?: string }>;
  beforeAll(() => {
    needBuild();
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', 'test/support/run-schematic.mjs'], {
      cwd: ROOT,
      input: JSON.stringify(Object.values(CASES)),
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(stderr);
    const answers = JSON.parse(stdout) as { runs?: Run[]; error?: string }[];
    results = new Map(Object.keys(CASES).map((name, index) => [name, answers[index]!]));
  });

  const errorOf = (name: Name): string | undefined => results.get(name)!.error;
  const runsOf = (name: Name): Run[] => {
    expect(errorOf(name)).toBeUndefined();
    return results.get(name)!.runs!;
  };
  const fileOf = (name: Name, path: string): string => runsOf(name)[0]!.files[path]!;
  const dependenciesOf = (name: Name): Record<string, string> => JSON.parse(fileOf(name, '/package.json')).dependencies;

  it('imports the module, makes .env and names the peers of NestJS 12', () => {
    expect(fileOf('fresh', '/src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';
import { AppService } from './app.service.js';
import { TaskModule } from '@softdd/task';

@Module({
  imports: [TaskModule.forRoot({ workerTokens: [process.env.WORKER_TOKEN!] })],
  controllers: [AppController],
  providers: [AppService],
})
export class AppModule {}
`);
    expect(fileOf('fresh', '/.env')).toMatch(/^# Workers send it .*\nWORKER_TOKEN=[\da-f]{48}\n$/);
    expect(dependenciesOf('fresh')).toMatchObject({
      '@nestjs/axios': '^12.0.0',
      '@nestjs/swagger': '^12.0.0',
      '@nestjs/typeorm': '^12.0.0',
      axios: '^1.3.1',
      'class-transformer': '^0.5.1',
      'class-validator': '^0.15.0',
      typeorm: '^1.0.0',
    });
    expect(Object.keys(dependenciesOf('fresh'))).toEqual(Object.keys(dependenciesOf('fresh')).sort());
    expect(dependenciesOf('fresh')).not.toHaveProperty('mysql2');
    expect(runsOf('fresh')[0]!.tasks).toEqual(['node-package']);
    const log = runsOf('fresh')[0]!.log.join('\n');
    expect(log).toMatch(/no TypeORM data source[^]*mysql2 .* pg .* or better-sqlite3[^]*--env-file=\.env[^]*guards/);
  });

  it.each(['fresh', 'with a new data source'] as const)('changes nothing the second time: %s', (name) => {
    const [first, second] = runsOf(name);
    expect(second!.files).toEqual(first!.files);
    expect(second!.tasks).toEqual([]);
  });

  it('adds a data source where there is none, and its driver', () => {
    const name = 'with a new data source';
    expect(fileOf(name, '/src/app.module.ts')).toContain(`import { TypeOrmModule } from '@nestjs/typeorm';
import { TaskModule } from '@softdd/task';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'mysql',
      url: process.env.DATABASE_URL,
      timezone: 'Z',
      autoLoadEntities: true,
    }),
    TaskModule.forRoot({ workerTokens: [process.env.WORKER_TOKEN!] }),
  ],
  controllers: [AppController],`);
    expect(fileOf(name, '/.env')).toMatch(/\n\n# .*must exist\.\nDATABASE_URL=mysql:\/\/user:password@.*\n$/);
    expect(dependenciesOf(name)).toMatchObject({ mysql2: '^3.0.0' });
    expect(runsOf(name)[0]!.log.join('\n')).not.toMatch(/Install the driver|no TypeORM data source/);
  });

  it('names the peers of NestJS 11, and leaves what is there', () => {
    expect(dependenciesOf('NestJS 11')).toEqual({
      '@nestjs/axios': '^4.0.0',
      '@nestjs/common': '^11.0.0',
      '@nestjs/core': '^11.0.1',
      '@nestjs/swagger': '^11.0.0',
      '@nestjs/typeorm': '^11.0.0',
      axios: '1.8.0',
      'class-transformer': '^0.5.1',
      'class-validator': '^0.15.0',
      'reflect-metadata': '^0.2.0',
      rxjs: '^7.8.1',
      typeorm: '^0.3.20',
    });
    // Indented and ended as it was.
    expect(fileOf('NestJS 11', '/package.json')).toMatch(/^{\n {4}"name": "app",\n {4}"scripts": {[^]*}\n}\n$/);
    // The version that is installed here.
    expect(dependenciesOf('a range that names no version')['@nestjs/swagger']).toBe('^12.0.0');
  });

  it('finds the driver by the data source in the code, and adds no other one', () => {
    const name = 'a data source in the code';
    expect(dependenciesOf(name)).toMatchObject({ mysql2: '^3.0.0' });
    expect(dependenciesOf(name)).not.toHaveProperty('pg');
    expect(fileOf(name, '/src/app.module.ts')).not.toContain('TypeOrmModule');
    expect(fileOf(name, '/.env')).not.toContain('DATABASE_URL');
    expect(dependenciesOf('a driver that is there')).toMatchObject({ pg: '^8.11.0' });
    expect(runsOf('a driver that is there')[0]!.log.join('\n')).not.toContain('Install the driver');
  });

  it('overwrites no key of .env, and keeps its lines', () => {
    expect(fileOf('an .env that is there', '/.env')).toBe('PORT=80\nWORKER_TOKEN=mine');
    expect(fileOf('an .env with other keys', '/.env')).toMatch(
      /^PORT=80\r\nOTHER=1\r\n\r\n# Workers send it .*\r\nWORKER_TOKEN=[\da-f]{48}\r\n$/,
    );
    const told = (name: Name): boolean => runsOf(name)[0]!.log.some((line) => line.includes('add it to .gitignore'));
    expect(['an .env that is there' as const, 'an .env with other keys' as const, 'fresh' as const].map(told)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('keeps other imports of the module', () => {
    const call = 'TaskModule.forRoot({ workerTokens: [process.env.WORKER_TOKEN!] })';
    const line = 'import { TaskModule } from "@softdd/task";\n';
    expect(fileOf('other imports', '/src/app.module.ts')).toBe(
      `import { Module } from "@nestjs/common";\n${line}\n@Module({ imports: [Other, ${call}], providers: [] })\nexport class AppModule {}\n`,
    );
    expect(fileOf('no imports', '/src/app.module.ts')).toContain(`@Module({ providers: [], imports: [`);
    expect(fileOf('another app of a monorepo', '/apps/api/src/app.module.ts')).toContain(`imports: [${call}]`);
    const there = fileOf('an import that is there', '/src/app.module.ts');
    expect(there.match(/@softdd\/task/g)).toHaveLength(1);
    expect(there).toContain(`imports: [${call}]`);
  });

  it('leaves an app alone that has the queue in another module', () => {
    expect(fileOf('a queue in another module', '/src/app.module.ts')).not.toContain('TaskModule');
  });

  it('says in one line what it can not do, and how to go on', () => {
    const byHand = 'Import TaskModule by hand: https://';
    expect(errorOf('no app.module.ts')).toMatch(/^There is no src\/app\.module\.ts\. .*--project=NAME.*$/);
    expect(errorOf('no app.module.ts')).toContain(byHand);
    expect(errorOf('imports that are no list')).toContain(`no @Module({ imports: […] }) with a plain list. ${byHand}`);
    expect(errorOf('no @Module')).toContain(byHand);
    expect(errorOf('NestJS 10')).toBe(
      '@softdd/task needs NestJS 11 or 12, and package.json asks for @nestjs/core ^10.4.0.',
    );
    expect(errorOf('no package.json')).toContain('run `nest add` in the folder of the app');
    expect(errorOf('another database')).toContain('Allowed values are: "mysql", "postgres", "sqlite"');
  });
});
