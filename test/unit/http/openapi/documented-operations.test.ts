import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ANSWER_ROOMS } from '../../../../src/contract/registration.js';
import { BodyCollector } from '../../../../src/http/body/body-collector.js';
import type { AnswerRooms } from '../../../../src/queue/answer-room.js';
import { TASK_STATUS, type TaskStatusCatalogue } from '../../../../src/index.js';
import { buildDocument } from '../../../../src/server/docs.js';
import { VIDEO_STATUS } from '../../../support/swapped.js';
import { type Adapter, ADAPTERS, type Host, WHOLE, WORKER_TOKEN } from '../../../support/host.js';
import { openStream } from '../../../support/event-stream.js';
import { type Answer, call, type CallOptions } from '../../../support/http.js';
import { DocumentCheck, exampleOf, type Operation, operationsOf } from './fixtures/document.js';
import type { Cases, Sent } from './fixtures/cases.js';
import { describeBatches } from './fixtures/batch-cases.js';
import { describeLists } from './fixtures/list-cases.js';
import { describeSchedules } from './fixtures/schedule-cases.js';
import { describeOperators } from './fixtures/operator-cases.js';
import { asText, ENCODINGS } from './fixtures/encodings.js';
import { boundHost, OPERATOR_TOKEN, swappedHost } from './fixtures/hosts.js';

/** What the host under test answers with and asks for. */
interface Kind {
  start(adapter: Adapter): Promise<Host>;
  status: TaskStatusCatalogue;
  notFound: number;
  credentials: Record<'user' | 'stranger' | 'crowd' | 'worker' | 'operator', Record<string, string>>;
  /** Whether the handlers answer with what is documented and nothing else. */
  closed: boolean;
  taskOf(body: any): { taskId: string };
}

const KINDS: Record<string, Kind> = {
  default: {
    start: boundHost,
    status: TASK_STATUS as TaskStatusCatalogue,
    notFound: 404,
    credentials: {
      user: { 'x-user': 'alice' },
      stranger: { 'x-user': 'mallory' },
      crowd: { 'x-user': 'crowd' },
      worker: { authorization: `Bearer ${WORKER_TOKEN}` },
      operator: { authorization: `Bearer ${OPERATOR_TOKEN}` },
    },
    closed: true,
    taskOf: (body) => body.data,
  },
  'fully swapped': {
    start: swappedHost,
    status: VIDEO_STATUS,
    notFound: 410,
    credentials: {
      user: { 'x-key': 'open', 'x-owner': 'alice' },
      stranger: { 'x-key': 'open', 'x-owner': 'mallory' },
      crowd: { 'x-key': 'open', 'x-owner': 'crowd' },
      worker: { 'x-key': 'worker' },
      operator: { 'x-key': 'operator', authorization: `Bearer ${OPERATOR_TOKEN}` },
    },
    closed: false,
    taskOf: (body) => body.result,
  },
};

const TOO_LONG = 'x'.repeat(65_536);
const TOO_MANY: [string, string][] = Array.from({ length: 1101 }, (_, index) => [`f${index}`, 'x']);

/** Each kind on each adapter, or, but for `npm run test:all`, each of both once. */
const CASES = Object.keys(KINDS)
  .flatMap((kind, index) => ADAPTERS.map((adapter, place) => ({ kind, adapter, always: index === place })))
  .filter(({ always }) => WHOLE || always);

describe.each(CASES)('the documented operations of a $kind host on $adapter', ({ kind, adapter }) => {
  const { start, status, notFound, credentials, closed, taskOf } = KINDS[kind]!;
  let host: Host;
  let document: DocumentCheck;
  let operations: Map<string, Operation>;
  beforeAll(async () => {
    host = await start(adapter);
    document = new DocumentCheck(JSON.parse(JSON.stringify(buildDocument(host.app))), { closed });
    operations = new Map(operationsOf(document.document).map((operation) => [operation.id, operation]));
  });
  afterAll(() => host?.close());

  /** Sends an operation as the document has it, and holds the answer to the document. */
  async function expectAnswer(id: string, expected: number, { taskId = '', as, ...options }: Sent): Promise<Answer> {
    const operation = operations.get(id)!;
    const audience = as ?? (Object.keys(operation.security[0]!)[0] as 'user' | 'worker' | 'operator');
    const headers = { ...(audience === 'nobody' ? {} : credentials[audience]), ...options.headers };
    const path = operation.path.replace(/\{\w+\}/, encodeURIComponent(taskId));
    const answer = await call(operation.method, host.url + path, { ...options, headers });
    document.fits(operation, expected, answer);
    return answer;
  }
  const create = async (as: 'BEGIN' | 'INIT'): Promise<string> => {
    const answer = await expectAnswer('createTask', 200, { json: { input: 'in', status: status[as] } });
    return taskOf(answer.body).taskId;
  };
  const createClaimed = async (): Promise<string> => {
    const taskId = await create('BEGIN');
    await expectAnswer('claimTask', 200, { query: { taskId } });
    return taskId;
  };
  const example = (id: string): Record<string, unknown> => {
    const operation = operations.get(id)!;
    const body = exampleOf(operation.requestBody!);
    expect([id, document.takes(operation, body)]).toEqual([id, true]);
    return body;
  };

  describe.each(Object.keys(ENCODINGS))('sent as %s', (encoding) => {
    const send = ENCODINGS[encoding]!;

    it('createTask', async () => {
      await expectAnswer('createTask', 200, send(example('createTask')));
      await expectAnswer('createTask', 400, send({ args: 'no input' }));
      await expectAnswer('createTask', 413, send({ input: TOO_LONG }));
      await expectAnswer('createTask', 430, { ...send({ input: 'in' }), as: 'nobody' });
      const headers = { 'Idempotency-Key': randomUUID() };
      const once = await expectAnswer('createTask', 200, { ...send({ input: 'in' }), headers });
      await expectAnswer('createTask', 422, { ...send({ input: 'other' }), headers });
      await expectAnswer('removeTasks', 200, send({ ids: [taskOf(once.body).taskId] }));
      await expectAnswer('createTask', notFound, { ...send({ input: 'in' }), headers });
    });

    it('removeTasks', async () => {
      const ids = [await create('INIT'), await createClaimed(), randomUUID()];
      const answer = await expectAnswer('removeTasks', 200, send({ ids }));
      expect(answer.text).toContain(ids[2]);
      await expectAnswer('removeTasks', 200, send(example('removeTasks')));
      await expectAnswer('removeTasks', 400, send({ ids: 'no list' }));
      await expectAnswer('removeTasks', 413, send({ ids, more: 'x'.repeat(1_100_000) }));
      await expectAnswer('removeTasks', 430, { ...send({ ids }), as: 'nobody' });
    });

    it.each(['updateTask', 'updateTaskByPost'])('%s', async (id) => {
      const taskId = await create('INIT');
      await expectAnswer(id, 200, { ...send(example(id)), taskId });
      await expectAnswer(id, 400, { ...send({ status: 'ready' }), taskId });
      await expectAnswer(id, notFound, { ...send({ input: 'new' }), taskId: randomUUID() });
      await expectAnswer(id, 409, { ...send({ input: 'new' }), taskId: await createClaimed() });
      await expectAnswer(id, 413, { ...send({ input: TOO_LONG }), taskId });
      await expectAnswer(id, 430, { ...send({ input: 'new' }), taskId, as: 'nobody' });
    });

    it.each(['reportTask', 'reportTaskByPost'])('%s', async (id) => {
      const taskId = await createClaimed();
      await expectAnswer(id, 200, { ...send({ progress: 10, temp: 'half' }), taskId });
      await expectAnswer(id, 400, { ...send({ progress: -1 }), taskId });
      await expectAnswer(id, 413, { ...send({ output: TOO_LONG }), taskId });
      await expectAnswer(id, 200, { ...send(example(id)), taskId });
      await expectAnswer(id, notFound, { ...send({ progress: 1 }), taskId: randomUUID() });
      await expectAnswer(id, 409, { ...send({ progress: 1 }), taskId: await create('INIT') });
      const headers = { 'Lease-Token': randomUUID() };
      await expectAnswer(id, 409, { ...send({ progress: 1 }), headers, taskId: await createClaimed() });
      await expectAnswer(id, 430, { ...send({ progress: 1 }), taskId, as: 'nobody' });
    });
  });

  it('getTask', async () => {
    const taskId = await create('INIT');
    await expectAnswer('getTask', 200, { taskId });
    await expectAnswer('getTask', notFound, { taskId: randomUUID() });
    await expectAnswer('getTask', 430, { taskId, as: 'nobody' });
    await expectAnswer('getTask', 430, { taskId, as: 'stranger' });
  });

  it('watchTasks', async () => {
    const ids = await create('INIT');
    const operation = operations.get('watchTasks')!;
    const stream = await openStream(`${host.url}${operation.path}?ids=${ids}`, credentials.user);
    await stream.synced();
    const { status: answered, headers, events } = stream;
    document.fits(operation, 200, { status: answered, headers, text: JSON.stringify(events), body: undefined });
    const refused = await expectAnswer('watchTasks', 429, { query: { ids } });
    expect(refused.headers.get('retry-after')).toBe('1');
    stream.close();
    await expectAnswer('watchTasks', 400, {});
    await expectAnswer('watchTasks', 413, { query: TOO_MANY });
    await expectAnswer('watchTasks', 430, { query: { ids }, as: 'nobody' });
  });

  it('more tasks than the quota', async () => {
    const crowd = { as: 'crowd' } as const;
    const first = await expectAnswer('createTask', 200, { json: { input: 'in' }, ...crowd });
    await expectAnswer('createTask', 403, { json: { input: 'in' }, ...crowd });
    const { taskId } = taskOf(first.body);
    await expectAnswer('updateTask', 200, { json: { status: status.CANCELLED }, taskId, ...crowd });
    const second = await expectAnswer('createTask', 200, { json: { input: 'in' }, ...crowd });
    for (const id of ['updateTask', 'updateTaskByPost'])
      await expectAnswer(id, 403, { json: { status: status.BEGIN }, taskId, ...crowd });
    await expectAnswer('removeTasks', 200, { json: { ids: [taskOf(second.body).taskId] }, ...crowd });
  });

  it('a list of tasks', async () => {
    // A host that has rules of its own for one, and none for many, takes one at a time.
    await expectAnswer('createTask', closed ? 200 : 400, { json: [{ input: 'a' }, { input: 'b' }] });
    await expectAnswer('createTask', 400, { json: [{ input: 'a' }, {}] });
  });

  it('reportTasks', async () => {
    const [taskId, other] = [await createClaimed(), await create('INIT')];
    const reports = [
      { taskId, progress: 1 },
      { taskId: other, progress: 1 },
      { taskId, progress: -1 },
    ];
    for (const send of Object.values(ENCODINGS)) await expectAnswer('reportTasks', 200, send({ reports }));
    await expectAnswer('reportTasks', 200, { json: example('reportTasks') });
    await expectAnswer('reportTasks', 400, { json: { reports: [] } });
    await expectAnswer('reportTasks', 413, { json: { reports, more: 'x'.repeat(1_100_000) } });
    await expectAnswer('reportTasks', 430, { json: { reports }, as: 'nobody' });
  });

  it.each(['claimTask', 'claimTaskByPost'])('%s', async (id) => {
    const send = (values: Record<string, unknown>): CallOptions =>
      id === 'claimTask' ? { query: asText(values) } : { json: values };
    const service = 'waited-for';
    await expectAnswer(id, 200, send({ taskId: await create('BEGIN'), limit: 2, lease: 60, workerId: 'w' }));
    await expectAnswer(id, 200, send({ service, limit: 2 }));
    await expectAnswer(id, 400, send({ lease: 0 }));
    await expectAnswer(id, 413, id === 'claimTask' ? { query: TOO_MANY } : { json: Object.fromEntries(TOO_MANY) });
    await expectAnswer(id, 430, { as: 'nobody' });
    const waiting = expectAnswer(id, 200, send({ service, wait: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expectAnswer(id, 429, send({ service, wait: 1 }));
    await waiting;
  });

  it('claimTask without parameters', async () => {
    await expectAnswer('claimTask', 200, { query: { taskId: await create('BEGIN') } });
    await expectAnswer('claimTask', 200, { query: { service: 'nobody-asks-for-this' } });
    await expectAnswer('claimTask', 400, { query: { service: 'x'.repeat(65) } });
    await expectAnswer('claimTask', 413, { query: TOO_MANY });
    await expectAnswer('claimTask', 430, { as: 'nobody' });
  });

  const cases: Cases = { expectAnswer, create, createClaimed, example, taskOf, status, notFound, tooMany: TOO_MANY };
  for (const describeAll of [describeLists, describeSchedules, describeBatches, describeOperators]) describeAll(cases);

  it('refuses other media types wherever there is a body', async () => {
    const raw = { raw: '<input/>', headers: { 'content-type': 'application/xml' } };
    for (const { id, requestBody } of operations.values())
      if (requestBody) await expectAnswer(id, 415, { ...raw, taskId: randomUUID() });
  });

  it('with more answers under way than there is room for', async () => {
    const large = { input: '\u0001'.repeat(20_000) };
    const taskId = taskOf((await expectAnswer('createTask', 200, { json: large })).body).taskId;
    const claimed = taskOf((await expectAnswer('createTask', 200, { json: { ...large, status: status.BEGIN } })).body);
    await expectAnswer('claimTask', 200, { query: { taskId: claimed.taskId } });
    const rooms = host.app.get<AnswerRooms>(ANSWER_ROOMS, { strict: false });
    const clients = [rooms.user, rooms.worker, rooms.operator].map((room) => {
      const client = Object.assign(new EventEmitter(), { destroy: () => undefined });
      room.open('somebody', client).hold('all', 2 ** 30);
      return client;
    });
    await expectAnswer('createTask', 429, { json: large });
    await expectAnswer('operatorGetTask', 429, { taskId });
    await expectAnswer('operatorListTasks', 429, { query: { ids: JSON.stringify([taskId]) } });
    await expectAnswer('operatorListTasksByPost', 429, { json: { ids: [taskId] } });
    await expectAnswer('getTask', 429, { taskId });
    await expectAnswer('listTasks', 429, { query: { ids: JSON.stringify([taskId]) } });
    await expectAnswer('listTasksByPost', 429, { json: { ids: [taskId] } });
    for (const id of ['updateTask', 'updateTaskByPost'])
      await expectAnswer(id, 429, { taskId, json: { status: status.BEGIN } });
    for (const id of ['reportTask', 'reportTaskByPost'])
      await expectAnswer(id, 429, { taskId: claimed.taskId, json: { progress: 1 } });
    for (const client of clients) client.emit('close');
    await expectAnswer('getTask', 200, { taskId });
  });

  it('with more unfinished bodies than there is room for', async () => {
    const { collect } = BodyCollector.prototype;
    // A collector that has no room at all. Both adapters leave multipart bodies to it.
    const full = jest
      .spyOn(BodyCollector.prototype, 'collect')
      .mockImplementation((request) => collect.call(new BodyCollector(2 ** 20, 0), request));
    try {
      for (const { id, requestBody } of operations.values())
        if (requestBody && !id.startsWith('VideoController'))
          await expectAnswer(id, 429, { multipart: { input: 'in' }, taskId: randomUUID() });
    } finally {
      full.mockRestore();
    }
    await expectAnswer('createTask', 200, { multipart: { input: 'in' } });
  });

  it("a host's own operations", async () => {
    if (!operations.has('VideoController_stats')) return expect(kind).toBe('default');
    for (const id of ['VideoController_stats', 'VideoOperatorController_titles', 'VideoScheduleController_count']) {
      await expectAnswer(id, 200, {});
      await expectAnswer(id, 430, { as: 'nobody' });
    }
  });

  it('leaves no documented answer unseen, but for failures of the server', () => {
    expect(document.unseen).toEqual([]);
  });
});
