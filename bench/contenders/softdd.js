import { createRequire } from 'node:module';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { getTaskServiceToken, TASK_STATUS, TaskModule } from '../../dist/src/index.js';

const require = createRequire(import.meta.url);
const { BEGIN, FINISHED } = TASK_STATUS;

/** TypeORM's options for a database of the bench's own, named in a URL. */
export function dataSourceOptions(url) {
  if (url.startsWith('sqlite:')) return { type: 'better-sqlite3', database: url.slice(7), driver: require('libsql') };
  const type = url.startsWith('mysql') ? 'mysql' : 'postgres';
  return { type, url, poolSize: 10 };
}

/** This project: imported as a host imports it, with everything on (leases, fencing, validation). */
export const softdd = {
  name: '@softdd/task',

  module: (url) => ({
    imports: [
      TypeOrmModule.forRoot({ ...dataSourceOptions(url), autoLoadEntities: true }),
      TaskModule.forRoot({ userId: () => 'bench', cronGuards: [], migrate: true }),
    ],
  }),

  /** In process, over `TaskService`. */
  async calls(app) {
    const tasks = app.get(getTaskServiceToken());
    return {
      create: (inputs) =>
        tasks.createMany(inputs.map((input) => ({ userId: 'bench', input, status: BEGIN }))).then(idsOf),
      claim: (limit) => tasks.claim({ service: 'default', limit, workerId: 'bench' }),
      finish: async (claimed) => {
        const results = await tasks.reportMany(
          claimed.map(({ taskId, leaseToken }) => ({ taskId, leaseToken, status: FINISHED, output: 'done' })),
        );
        for (const { status, reason } of results) if (status === 'rejected') throw reason;
      },
    };
  },

  requests: {
    create: (input) => ({ method: 'POST', path: '/api/tasks', body: { input, status: BEGIN } }),
    claim: (worker) => ({ method: 'GET', path: `/api/crontask?service=default&workerId=${worker}` }),
    finish: ({ task, leaseToken }) => ({
      method: 'PUT',
      path: `/api/crontask/${task.taskId}`,
      body: { leaseToken, status: FINISHED, output: 'done' },
    }),
    idOf: (claimed) => claimed.task?.taskId,
    createList: (inputs) => ({
      method: 'POST',
      path: '/api/tasks',
      body: inputs.map((input) => ({ input, status: BEGIN })),
    }),
    claimList: (worker, limit) => ({
      method: 'GET',
      path: `/api/crontask?service=default&workerId=${worker}&limit=${limit}`,
    }),
    finishList: (list) => ({
      method: 'PUT',
      path: '/api/crontask',
      body: {
        reports: list.map(({ task, leaseToken }) => ({
          taskId: task.taskId,
          leaseToken,
          status: FINISHED,
          output: 'done',
        })),
      },
    }),
  },

  /** Rows by what became of them. */
  async counts(url) {
    const dataSource = await new DataSource(dataSourceOptions(url)).initialize();
    try {
      const rows = await dataSource.query('SELECT status, COUNT(*) AS n FROM tasks GROUP BY status');
      const of = (status) => Number(rows.find((row) => Number(row.status) === status)?.n ?? 0);
      return { finished: of(FINISHED), all: rows.reduce((sum, row) => sum + Number(row.n), 0) };
    } finally {
      await dataSource.destroy();
    }
  },
};

const idsOf = (tasks) => tasks.map((task) => task.taskId);
