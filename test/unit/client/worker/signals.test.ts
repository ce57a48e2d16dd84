import { expect, it, jest } from '@jest/globals';
import { until } from '../../../support/until.js';
import { answer } from '../fixtures/flaky.js';
import { claimed, queue, worker } from '../fixtures/told.js';

const listeners = (): number => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');

it('all workers of a process share one listener, which is gone with the last of them', async () => {
  const warned = jest.fn();
  process.on('warning', warned);
  const server = await queue([]);
  const before = listeners();
  const workers = Array.from({ length: 12 }, () => worker(server));
  const runs = workers.map((one) => one.run());
  expect(listeners()).toBe(before + 2);
  await Promise.all(workers.slice(1).map((one) => one.close()));
  expect(listeners()).toBe(before + 2);
  await workers[0]!.close();
  await Promise.all(runs);
  expect(listeners()).toBe(before);
  server.close();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(warned).not.toHaveBeenCalled();
  process.off('warning', warned);
});

it('a signal closes them all, and the next one is not theirs', async () => {
  const server = await queue([answer(claimed(1))]);
  const before = listeners();
  const workers = [worker(server), worker(server, { handleSignals: false }), worker(server)];
  const runs = workers.map((one) => one.run());
  await until('claims', () => server.heard.length >= 3);
  process.emit('SIGTERM', 'SIGTERM');
  expect(listeners()).toBe(before);
  await Promise.all([runs[0], runs[2]]);
  const third = await Promise.race([runs[1]!.then(() => 'ended'), Promise.resolve('at work')]);
  expect(third).toBe('at work');
  await workers[1]!.close();
  await runs[1];
  server.close();
});
