import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import { TaskError } from '../../src/contract/errors.js';
import { bodyOf, stashBody } from '../../src/http/body/unparsed-body.js';
import { BodyCollector } from '../../src/http/body/body-collector.js';
import { CreateTaskDto } from '../../src/http/dto/create-task.dto.js';
import { ReportTaskDto } from '../../src/http/dto/report-task.dto.js';
import { inputPipe } from '../../src/http/request/input.pipe.js';
import { ADAPTERS, type Host, startHost, WORKER_TOKEN } from '../support/host.js';
import { Dice, fuzzedBody } from './fixtures/bodies.js';

const SEED = Number(process.env.TEST_FUZZ_SEED ?? Date.now() % 2 ** 31);
const BODIES = Number(process.env.TEST_FUZZ_BODIES ?? 100_000);
const REQUESTS = Number(process.env.TEST_FUZZ_REQUESTS ?? 20_000);
const AT_ONCE = 24;
/** Milliseconds: for machines that have other things to do. */
const PATIENCE = 600_000;
const REFUSALS = ['INVALID_PARAM', 'TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

process.stdout.write(`TEST_FUZZ_SEED=${SEED}\n`);

/** A request as the server sees it: headers, and a body in chunks, which may break off. */
function incoming(contentType: string, bytes: Buffer, breaksOff: boolean, dice: Dice): IncomingMessage {
  const message = new Readable({ read: () => undefined });
  for (let place = 0; place < bytes.length;) {
    const size = dice.roll(4) ? bytes.length : 1 + dice.roll(bytes.length);
    message.push(bytes.subarray(place, place + size));
    place += size;
  }
  if (breaksOff) setImmediate(() => message.destroy(new Error('aborted')));
  else message.push(null);
  return Object.assign(message, { headers: { 'content-type': contentType } }) as unknown as IncomingMessage;
}

const aboutBody = ({ detail }: TaskError): boolean =>
  (detail as { field: string }[]).some(({ field }) => field === 'body');

it(
  `reads and parses ${BODIES} bodies, or refuses them in its own words`,
  async () => {
    const dice = new Dice(SEED);
    const collector = new BodyCollector(64 * 1024);
    const pipe = inputPipe();
    let [taken, refused] = [0, 0];
    for (let number = 0; number < BODIES; number++) {
      const { contentType, bytes, fields } = fuzzedBody(dice);
      const breaksOff = dice.roll(50) === 0;
      const message = incoming(contentType, bytes, breaksOff, dice);
      await new Promise<void>((resolve) => stashBody(message, collector, resolve));
      try {
        const input = bodyOf(message);
        if (breaksOff) throw new Error('a body that broke off was taken');
        // A matcher for each body would take longer than the body.
        if (fields && !isDeepStrictEqual({ ...input }, fields)) expect(input).toEqual(fields);
        taken += 1;
        for (const metatype of [CreateTaskDto, ReportTaskDto])
          await pipe.transform(input, { type: 'custom', metatype });
      } catch (error) {
        refused += 1;
        const inItsWords = error instanceof TaskError && REFUSALS.includes(error.errorName);
        const wrongly = inItsWords && fields && !breaksOff && aboutBody(error);
        if (!inItsWords || wrongly) throw Object.assign(error as Error, { contentType, body: bytes.toString() });
      }
    }
    // The generator is worth something only where both happen often.
    expect(taken).toBeGreaterThan(BODIES / 5);
    expect(refused).toBeGreaterThan(BODIES / 5);
  },
  PATIENCE,
);

interface Heard {
  status: number;
  text: string;
}

function isInEnvelope({ status, text }: Heard): boolean {
  try {
    const envelope = JSON.parse(text) as { status: unknown; data: { code?: unknown } };
    return status === 200 ? envelope.status === 1 : envelope.status === 0 && Number.isInteger(envelope.data.code);
  } catch {
    return false;
  }
}

describe.each(ADAPTERS)('mutated bodies over HTTP with %s', (adapter) => {
  const logged: unknown[][] = [];
  const note = (...said: unknown[]): void => void logged.push(said);
  const logger: LoggerService = { log: () => undefined, warn: () => undefined, error: note, fatal: note };
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let host: Host;
  let taskId: string;
  beforeAll(async () => {
    host = await startHost({ engine: 'sqlite', adapter, nest: { logger } });
    taskId = (await host.tasks.create({ userId: 'alice', input: 'in' })).taskId;
  });
  afterAll(async () => {
    agent.destroy();
    await host?.close();
  });

  const ROUTES = (): [string, string][] => [
    ['POST', '/api/tasks'],
    ['PUT', `/api/tasks/${taskId}`],
    ['POST', `/api/tasks/${taskId}`],
    ['DELETE', '/api/tasks'],
    ['GET', '/api/tasks'],
    ['POST', '/api/crontask'],
    ['PUT', '/api/crontask'],
    ['PUT', `/api/crontask/${taskId}`],
    ['POST', `/api/crontask/${taskId}`],
  ];

  /** Sends a body; undefined where the client hangs up before its end, or where the server does. */
  function send(dice: Dice): Promise<Heard | undefined> {
    const { contentType, bytes } = fuzzedBody(dice);
    const [method, path] = dice.pick(ROUTES());
    const credentials = dice.roll(8) ? { 'x-user': 'alice', authorization: `Bearer ${WORKER_TOKEN}` } : {};
    const breaksOff = dice.roll(25) === 0;
    const length = dice.roll(3)
      ? { 'content-length': bytes.length + (breaksOff ? 10 : 0) }
      : { 'transfer-encoding': 'chunked' };
    return new Promise((resolve) => {
      const headers = { ...credentials, ...length, ...(contentType ? { 'content-type': contentType } : {}) };
      const sent = request(host.url + path, { method, headers, agent }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('end', () => resolve({ status: response.statusCode!, text }));
        response.on('error', () => resolve(undefined));
      });
      sent.on('error', () => resolve(undefined));
      if (breaksOff) sent.write(bytes, () => setImmediate(() => sent.destroy()));
      else sent.end(bytes);
    });
  }

  it(
    `answers ${REQUESTS / ADAPTERS.length} of them in its envelope, and lives`,
    async () => {
      const dice = new Dice(SEED + ADAPTERS.indexOf(adapter));
      const statuses = new Map<number | undefined, number>();
      let left = REQUESTS / ADAPTERS.length;
      const client = async (): Promise<void> => {
        while (left-- > 0) {
          const heard = await send(dice);
          statuses.set(heard?.status, (statuses.get(heard?.status) ?? 0) + 1);
          if (!heard) continue;
          if (!isInEnvelope(heard) || (heard.status >= 500 && heard.status !== 503))
            throw new Error(`${heard.status} ${heard.text}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, client));
      expect(logged).toEqual([]);
      expect((await host.user('alice', 'POST', '/api/tasks', { json: { input: 'alive' } })).status).toBe(200);
      // Those who hung up heard nothing; all the others did.
      expect(statuses.get(undefined)).toBeLessThan((REQUESTS / ADAPTERS.length) * 0.08);
      expect(statuses.get(200)).toBeGreaterThan(0);
      expect(statuses.get(400)).toBeGreaterThan(0);
      expect(statuses.get(430)).toBeGreaterThan(0);
    },
    PATIENCE,
  );
});
