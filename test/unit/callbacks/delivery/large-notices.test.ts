import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Host, PLACES, startHost } from '../../../support/host.js';
import { until } from '../../../support/until.js';
import { type Receiver, startReceiver } from '../fixtures/receiver.js';

/** Six bytes for each of them, as JSON: a notice of three such texts has 1.2 MB. */
const CONTROL = '\u0001'.repeat(65_535);
/** Of large ones; one more gets a small one. */
const RECEIVERS = 20;
/** Bytes of large notices that a process sends at once. */
const MOST = 32 * 1024 * 1024;

describe.each(PLACES)('large notices on $engine', (where) => {
  const receivers: Receiver[] = [];
  let host: Host;
  beforeAll(async () => {
    for (let made = 0; made <= RECEIVERS; made++) receivers.push(await startReceiver());
    const callbackUrl = ({ service }: { service: string }): string => receivers[Number(service)]!.url;
    host = await startHost({ ...where, options: { callbackUrl, callbackTimeout: 60 } });
  });
  afterAll(async () => {
    await host?.close();
    await Promise.all(receivers.map((receiver) => receiver.close()));
  });
  const end = async (service: string, text: string): Promise<string> => {
    const { taskId } = await host.tasks.create({ userId: 'alice', input: text, args: text, service, status: 10 });
    const [claimed] = await host.tasks.claim({ taskId });
    await host.tasks.report(taskId, { leaseToken: claimed!.leaseToken!, status: 30, output: text });
    return taskId;
  };

  it('are sent a few at a time, small ones beside them, and each once', async () => {
    let bytes = 0;
    const held: (() => void)[] = [];
    for (const receiver of receivers)
      receiver.answer = (response, { body }) => {
        const answer = (): void => void response.writeHead(200).end();
        if (body.length < 64 * 1024) return answer();
        bytes += body.length;
        held.push(answer);
      };
    const ids: string[] = [];
    for (let made = 0; made < 2 * RECEIVERS; made++) ids.push(await end(String(made % RECEIVERS), CONTROL));
    await until('as many as may be are under way', () => bytes > MOST - 2 * CONTROL.length * 6 * 3);
    const small = await end(String(RECEIVERS), 'in');
    await until('the small one is there', () => received().includes(small));
    expect(bytes).toBeLessThanOrEqual(MOST);
    expect(held.length).toBeLessThan(ids.length);
    await until('all are there', async () => {
      for (const answer of held.splice(0)) answer();
      return (await host.tasks.callbacks.counts()).delivered === ids.length + 1;
    });
    expect(received().sort()).toEqual([...ids, small].sort());
  });
  const received = (): string[] => receivers.flatMap((each) => each.received).map(({ notice }) => notice.data.taskId);
});
