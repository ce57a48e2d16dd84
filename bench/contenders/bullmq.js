import { Job, Queue, Worker } from 'bullmq';
import { controllerOver, peerRequests } from './controller.js';
import { guardedControllerOver, guardedRequests } from './guarded-controller.js';

const redis = {
  classes: { Queue, Worker },
  connect: (url) => {
    const { hostname: host, port } = new URL(url);
    return { host, port: Number(port), maxRetriesPerRequest: null };
  },
};

/** BullMQ's queue. Jobs are fetched and completed by hand, since the workers are elsewhere. */
export function bullmqOn(name, { classes, connect }) {
  const self = {
    name,
    requests: peerRequests,

    async module(url) {
      return { controllers: [controllerOver(await self.open(url))] };
    },

    async open(url) {
      const { connection, queue, worker } = await start(url);
      // The job object is kept between claim and finish: fetching it again would cost a round trip.
      const running = new Map();
      const claimOne = async () => {
        const job = await worker.getNextJob('bench', { block: false });
        if (job) running.set(job.id, job);
        return job;
      };
      return {
        create: (inputs) =>
          inputs.length === 1
            ? queue.add('task', { input: inputs[0] }).then((job) => [job.id])
            : queue
                .addBulk(inputs.map((input) => ({ name: 'task', data: { input } })))
                .then((jobs) => jobs.map(({ id }) => id)),
        async claim(limit) {
          const jobs = await Promise.all(Array.from({ length: limit }, claimOne));
          return jobs.filter(Boolean).map(({ id, data }) => ({ taskId: id, input: data.input }));
        },
        finish: (claimed) =>
          Promise.all(
            claimed.map(async ({ taskId, output }) => {
              await running.get(taskId).moveToCompleted(output, 'bench', false);
              running.delete(taskId);
            }),
          ),
        /** Works off all that there is, 50 at a time; answers how many were done. */
        async workOff(total) {
          let done = 0;
          const options = { connection, concurrency: 50, autorun: false };
          const processor = new classes.Worker('bench', async () => 'done', options);
          await new Promise((resolve, reject) => {
            processor.on('completed', () => {
              done += 1;
              if (done === total) resolve();
            });
            processor.run().catch(reject);
          });
          await processor.close();
          return done;
        },
        close: () => Promise.all([worker.close(), queue.close()]),
      };
    },

    async counts(url) {
      const queue = new classes.Queue('bench', { connection: connect(url) });
      const counts = await queue.getJobCounts();
      await queue.close();
      return { finished: counts.completed, all: Object.values(counts).reduce((sum, n) => sum + n, 0) };
    },
  };

  async function start(url) {
    const connection = connect(url);
    const queue = new classes.Queue('bench', { connection });
    const worker = new classes.Worker('bench', null, { connection });
    await worker.waitUntilReady();
    return { connection, queue, worker };
  }

  /** The same with what ours always does: see the controller. */
  const guarded = {
    name: `${name}, with the same guarantees`,
    requests: guardedRequests,
    counts: self.counts,

    async module(url) {
      const { queue, worker } = await start(url);
      const calls = {
        create: (input) => queue.add('task', { input }),
        claim: (token) => worker.getNextJob(token, { block: false }),
        // Any process may finish the job, so it is fetched by its id.
        async finish(id, token, output) {
          const job = await Job.fromId(queue, id);
          await job.moveToCompleted(output, token, false);
          return job;
        },
      };
      return { controllers: [guardedControllerOver(calls)] };
    },
  };
  return { thin: self, guarded };
}

export const { thin: bullmqThin, guarded: bullmq } = bullmqOn('BullMQ on Redis', redis);
