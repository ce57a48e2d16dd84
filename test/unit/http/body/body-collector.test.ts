import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { BodyCollector } from '../../../../src/http/body/body-collector.js';

const message = (): Readable & IncomingMessage => new Readable({ read: () => undefined }) as Readable & IncomingMessage;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How a body ended: its text, or the name of the failure. */
const outcome = (collector: BodyCollector, from: IncomingMessage): Promise<string> =>
  collector.collect(from).then(String, (error: { errorName: string }) => error.errorName);

it('drops the body that has been under way the longest where all of them hold too much', async () => {
  const collector = new BodyCollector(100, 300);
  const messages = [message(), message(), message(), message()];
  const ends = messages.map((each) => outcome(collector, each));
  for (const each of messages) each.push('x'.repeat(80));
  await turn();
  for (const each of messages) each.push('y');
  for (const each of messages) each.push(null);
  const whole = `${'x'.repeat(80)}y`;
  expect(await Promise.all(ends)).toEqual(['TOO_MANY_REQUESTS', whole, whole, whole]);
});

it('counts nothing of bodies that are whole, too large, or broken off', async () => {
  const collector = new BodyCollector(100, 200);
  for (let round = 0; round < 5; round++) {
    const messages = [message(), message()];
    const ends = messages.map((each) => outcome(collector, each));
    messages[0]!.push('x'.repeat(90));
    messages[1]!.push('x'.repeat(60));
    await turn();
    messages[1]!.push('x'.repeat(60));
    await turn();
    messages[round % 2]!.push(null);
    messages[1 - (round % 2)]!.destroy(round % 3 ? new Error('aborted') : undefined);
    expect(await Promise.all(ends)).toEqual(
      round % 2 ? ['INVALID_PARAM', 'TOO_LARGE'] : ['x'.repeat(90), 'INVALID_PARAM'],
    );
  }
});

it('hears an error that comes once the body is whole', async () => {
  const late = message();
  const end = outcome(new BodyCollector(100), late);
  late.push('x');
  late.push(null);
  expect(await end).toBe('x');
  late.destroy(new Error('aborted'));
  await turn();
});
