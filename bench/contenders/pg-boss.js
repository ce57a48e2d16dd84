import { PgBoss } from 'pg-boss';
import pg from 'pg';
import { controllerOver, peerRequests } from './controller.js';

/** pg-boss on PostgreSQL, with the statistics that its plans need. */
export const pgBoss = {
  name: 'pg-boss',
  requests: peerRequests,

  async module(url) {
    return { controllers: [controllerOver(await pgBoss.open(url))] };
  },

  async open(url) {
    const boss = new PgBoss({ connectionString: url, max: 16, supervise: false, schedule: false });
    await boss.start();
    await boss.createQueue('bench');
    await analyze(url, 'ANALYZE');
    return {
      create: (inputs) =>
        inputs.length === 1
          ? boss.send('bench', { input: inputs[0] }).then((id) => [id])
          : boss.insert(
              'bench',
              inputs.map((input) => ({ data: { input } })),
              { returnId: true },
            ),
      claim: (batchSize) =>
        boss.fetch('bench', { batchSize }).then((jobs) => jobs.map(({ id, data }) => ({ taskId: id, ...data }))),
      finish: (claimed) =>
        boss.complete(
          'bench',
          claimed.map(({ taskId }) => taskId),
          { output: claimed[0].output ?? 'done' },
        ),
      close: () => boss.stop({ graceful: false }),
    };
  },

  analyze: (url) => analyze(url, 'ANALYZE'),

  async counts(url) {
    const [{ finished, all }] = await analyze(
      url,
      "SELECT COUNT(*) FILTER (WHERE state = 'completed')::int AS finished, COUNT(*)::int AS all FROM pgboss.job",
    );
    return { finished, all };
  },
};

async function analyze(url, sql) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(sql).finally(() => client.end());
  return rows;
}
