import { Queue, Worker } from 'bullmq';
import { controllerOver, peerRequests } from './controller.js';

/** BullMQ on Redis. Jobs are fetched and completed by hand, since the workers are elsewhere. */
export const bullmq = {
  name: 'BullMQ',
  requests: peerRequests,

  async module(url) {
    return { controllers: [controllerOver(await bullmq.open(url))] };
  },

  async open(url) {
    const { hostname: host, port } = new URL(url);
    const connection = { host, port: Number(port), maxRetriesPerRequest: null };
    const queue = new Queue('bench', { connection });
    const worker = new Worker('bench', null, { connection });
    await worker.waitUntilReady();
    // The job object is kept between claim and finish: fetching it again would cost a round trip.
    const running = new Map();
    return {
      create: (inputs) =>
        inputs.length === 1
          ? queue.add('task', { input: inputs[0] }).then((job) => [job.id])
          : queue
              .addBulk(inputs.map((input) => ({ name: 'task', data: { input } })))
              .then((jobs) => jobs.map(({ id }) => id)),
      async claim() {
        const job = await worker.getNextJob('bench', { block: false });
        if (!job) return [];
        running.set(job.id, job);
        return [{ taskId: job.id, input: job.data.input }];
      },
      async finish([{ taskId, output }]) {
        await running.get(taskId).moveToCompleted(output, 'bench', false);
        running.delete(taskId);
      },
      /** Works off all that there is, 50 at a time; answers how many were done. */
      async workOff(total) {
        let done = 0;
        const processor = new Worker('bench', async () => 'done', { connection, concurrency: 50, autorun: false });
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
    const { hostname: host, port } = new URL(url);
    const queue = new Queue('bench', { connection: { host, port: Number(port) } });
    const counts = await queue.getJobCounts();
    await queue.close();
    return { finished: counts.completed, all: Object.values(counts).reduce((sum, n) => sum + n, 0) };
  },
};
