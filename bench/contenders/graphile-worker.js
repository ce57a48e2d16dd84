import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';

/** graphile-worker on PostgreSQL, at its own performance settings: jobs are deleted when they are done. */
export const graphileWorker = {
  name: 'graphile-worker',

  async open(url) {
    const utils = await makeWorkerUtils({ connectionString: url, maxPoolSize: 4 });
    await utils.migrate();
    return {
      create: (inputs) => utils.addJobs(inputs.map((input) => ({ identifier: 'task', payload: { input } }))),
      /** Works off all that there is; answers how many were done. */
      async workOff(total) {
        let done = 0;
        let runner;
        await new Promise((resolve, reject) => {
          run({
            connectionString: url,
            concurrency: 24,
            maxPoolSize: 10,
            noHandleSignals: true,
            preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
            logger: new Logger(() => () => {}),
            taskList: {
              task: () => {
                done += 1;
                if (done === total) resolve();
              },
            },
          }).then((started) => (runner = started), reject);
        });
        await runner.stop();
        return done;
      },
      close: () => utils.release(),
    };
  },

  async left(url) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client
      .query('SELECT COUNT(*)::int AS n FROM graphile_worker.jobs')
      .finally(() => client.end());
    return rows[0].n;
  },
};
