import { TaskWorker } from '@softdd/task/client';

/** Transcodes, as far as a demo does: frame by frame, and from the checkpoint on after a crash. */
const worker = new TaskWorker({
  baseUrl: process.env.TASK_URL!,
  token: process.env.WORKER_TOKEN!,
  service: 'transcode',
  concurrency: 2,
  // Short, so that a killed worker's tasks go on soon.
  lease: 3,
  async handler({ task, checkpoint, progress, signal }) {
    const { frames, pause } = JSON.parse(task.args) as { frames: number; pause: number };
    for (let frame = Number(checkpoint) + 1; frame <= frames; frame++) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, pause));
      progress((100 * frame) / frames, String(frame));
    }
    return task.input.replace('.mov', '.mp4');
  },
});
await worker.run();
