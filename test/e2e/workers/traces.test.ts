import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { TaskWorker } from '../../../src/client/index.js';
import { Process, TaskProcessor } from '../../../src/index.js';
import { traceparentOf } from '../../../src/protocol/traceparent.js';
import { VERSION } from '../../../src/protocol/version.js';
import { BATTERY, type Host, startHost, WORKER_TOKEN } from '../../support/host.js';
import { Spans } from '../../support/spans.js';
import { until } from '../../support/until.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = `00-${TRACE}-00f067aa0ba902b7-01`;
const READY = 10;

const seen: (string | undefined)[] = [];
const activeTrace = (): string | undefined => {
  const span = trace.getActiveSpan();
  return span && traceparentOf(span.spanContext());
};

@TaskProcessor('inside')
class Inside {
  @Process()
  run(): void {
    seen.push(activeTrace());
  }
}

class InsideModule {}

describe.each(BATTERY)('traces on $engine with $adapter', (where) => {
  let host: Host;
  let receiver: Server;
  const received: { headers: IncomingHttpHeaders; taskId: string }[] = [];
  const noticeOf = (taskId: string) =>
    until('the callback', () => received.find((notice) => notice.taskId === taskId)?.headers);

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        received.push({ headers: request.headers, taskId: JSON.parse(body).data.taskId });
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as AddressInfo;
    const options = { callbackUrl: `http://127.0.0.1:${port}/done` };
    host = await startHost({ ...where, options, imports: [{ module: InsideModule, providers: [Inside] }] });
  });
  afterAll(async () => {
    await host?.close();
    receiver?.close();
  });

  const create = async (service: string, headers: Record<string, string> = {}): Promise<any> => {
    const json = { input: 'in', service, status: READY };
    const { status, body } = await host.user('alice', 'POST', '/api/tasks', { json, headers });
    expect(status).toBe(200);
    return body.data;
  };
  const claim = async (service: string): Promise<any> =>
    (await host.worker('POST', '/api/crontask', { json: { service, lease: 60 } })).body.data;
  const work = async (service: string, handler: () => unknown): Promise<void> => {
    const worker = new TaskWorker({ baseUrl: host.url, token: WORKER_TOKEN, service, handler, handleSignals: false });
    const ended = new Promise<void>((end) => {
      worker.on('finished', () => end());
      worker.on('failed', () => end());
    });
    const run = worker.run();
    await ended;
    await worker.close();
    await run;
  };

  describe('with a provider of tracers', () => {
    let spans: Spans;
    beforeEach(() => void (spans = new Spans()));
    afterEach(() => spans.stop());

    it('go from the create over the worker to the receiver of the callback', async () => {
      const task = await create('chain', { traceparent: CALLER });
      let handled: string | undefined;
      await work('chain', () => {
        handled = activeTrace();
      });
      const made = await spans.of('create', task.taskId);
      expect(made).toMatchObject({
        name: 'create chain',
        kind: SpanKind.PRODUCER,
        parentSpanContext: { traceId: TRACE, spanId: '00f067aa0ba902b7' },
        attributes: {
          'messaging.system': 'softdd_task',
          'messaging.operation.name': 'create',
          'messaging.operation.type': 'create',
          'messaging.destination.name': 'chain',
          'messaging.message.id': task.taskId,
        },
        instrumentationScope: { name: '@softdd/task', version: VERSION },
      });
      const link = [{ context: expect.objectContaining(idsOf(made)) }];
      const claimed = await spans.of('claim', task.taskId);
      expect(claimed).toMatchObject({ name: 'claim chain', kind: SpanKind.CLIENT, links: link });
      expect(claimed.attributes).toMatchObject({ 'messaging.operation.type': 'receive' });
      const processed = await spans.of('process', task.taskId);
      expect(processed).toMatchObject({ name: 'process chain', kind: SpanKind.CONSUMER, links: link });
      expect(processed.attributes).toMatchObject({ 'messaging.operation.type': 'process' });
      expect(processed.parentSpanContext).toBeUndefined();
      expect(handled).toBe(traceparentOf(processed.spanContext()));
      const { traceparent } = await noticeOf(task.taskId);
      const sent = await spans.of('callback', task.taskId);
      expect(traceparent).toBe(traceparentOf(sent.spanContext()));
      expect(sent).toMatchObject({ name: 'callback chain', kind: SpanKind.PRODUCER, links: link });
      expect(sent.attributes).toMatchObject({
        'messaging.operation.type': 'send',
        'server.address': '127.0.0.1',
        'http.response.status_code': 200,
      });
    });

    it('are not shown to users', async () => {
      const task = await create('hidden', { traceparent: CALLER });
      expect(JSON.stringify(task)).not.toMatch(/trace/i);
      const shown = await host.user('alice', 'GET', `/api/tasks/${task.taskId}`);
      expect(shown.text).not.toMatch(/trace|4bf92f35/i);
    });

    it('begin below the span that is active where the host creates the task', async () => {
      const tracer = trace.getTracer('host');
      const [task, outer] = await tracer.startActiveSpan('order', async (span: Span) => {
        const made = await host.tasks.create(
          { userId: 'alice', input: 'x', service: 'ordered', status: READY },
          { traceparent: CALLER },
        );
        span.end();
        return [made, span.spanContext()] as const;
      });
      const made = await spans.of('create', task.taskId);
      expect(made.parentSpanContext).toMatchObject({ traceId: outer.traceId, spanId: outer.spanId });
      expect((await host.tasks.get(task.taskId)).traceparent).toBe(traceparentOf(made.spanContext()));
    });

    it('are one span for many tasks', async () => {
      const many = Array.from({ length: 3 }, () => ({ userId: 'alice', input: 'x', service: 'many', status: READY }));
      const tasks = await host.tasks.createMany(many);
      const made = spans.all.filter(({ name }) => name === 'create many');
      expect(made.map(({ attributes }) => attributes['messaging.batch.message_count'])).toEqual([3]);
      expect(tasks.map(({ traceparent }) => traceparent)).toEqual(Array(3).fill(traceparentOf(made[0]!.spanContext())));
      await host.tasks.claim({ service: 'many', limit: 3, workerId: 'gpu-1' });
      const [claimed] = spans.all.filter(({ name }) => name === 'claim many');
      expect(claimed!.links).toHaveLength(3);
      expect(claimed!.attributes).toMatchObject({ 'messaging.batch.message_count': 3, 'messaging.client.id': 'gpu-1' });
    });

    it('say that an attempt failed', async () => {
      const task = await create('failing');
      await work('failing', () => {
        throw new TypeError('out of memory');
      });
      const { status, events, attributes } = await spans.of('process', task.taskId);
      expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'out of memory' });
      expect(events[0]?.attributes).toMatchObject({ 'exception.message': 'out of memory' });
      expect(attributes).toMatchObject({ 'error.type': 'TypeError' });
    });

    it('say that a create was refused, and make no span for a claim in vain', async () => {
      const [one, other] = ['a', 'b'].map((input) => ({ userId: 'alice', input, service: 'twice' }));
      await host.tasks.create(one!, { idempotencyKey: `key ${where.engine}` });
      await host.tasks.create(one!, { idempotencyKey: `key ${where.engine}` });
      await expect(host.tasks.create(other!, { idempotencyKey: `key ${where.engine}` })).rejects.toThrow();
      expect(await host.tasks.claim({ service: 'twice' })).toEqual([]);
      const made = spans.all.filter(({ attributes }) => attributes['messaging.destination.name'] === 'twice');
      expect(made.map(({ name, status }) => [name, status.code])).toEqual([
        ['create twice', SpanStatusCode.UNSET],
        ['create twice', SpanStatusCode.UNSET],
        ['create twice', SpanStatusCode.ERROR],
      ]);
      // The second request is answered with the task of the first.
      expect(made[1]!.attributes['messaging.message.id']).toBe(made[0]!.attributes['messaging.message.id']);
    });

    it('reach a processor inside the host', async () => {
      const task = await create('inside');
      const processed = await spans.of('process', task.taskId);
      const made = await spans.of('create', task.taskId);
      expect(processed.links[0]?.context).toMatchObject(idsOf(made));
      expect(seen).toContain(traceparentOf(processed.spanContext()));
    });
  });

  describe('without a provider of tracers', () => {
    it("hand the caller's trace to the worker and to the receiver", async () => {
      const task = await create('plain', { traceparent: CALLER });
      const { traceparent, leaseToken } = await claim('plain');
      expect(traceparent).toBe(CALLER);
      await host.worker('PUT', `/api/crontask/${task.taskId}`, { json: { leaseToken, status: 30 } });
      expect((await noticeOf(task.taskId)).traceparent).toBe(CALLER);
    });

    it('leave answers as they are if nothing was traced, and ignore what is malformed', async () => {
      const tasks = [await create('untraced'), await create('untraced', { traceparent: `${CALLER}-more` })];
      for (const { taskId } of tasks) {
        expect((await host.tasks.get(taskId)).traceparent).toBeNull();
        const claimed = await claim('untraced');
        expect(Object.keys(claimed).sort()).toEqual(['attempt', 'leaseExpiresAt', 'leaseToken', 'task', 'updateUrl']);
        const { leaseToken, task } = claimed;
        await host.worker('PUT', `/api/crontask/${task.taskId}`, { json: { leaseToken, status: 30 } });
        expect(await noticeOf(task.taskId)).not.toHaveProperty('traceparent');
      }
    });

    it('take the trace from the header alone', async () => {
      const json = { input: 'in', service: 'body', status: READY, traceparent: CALLER };
      const { headers, body } = await host.user('alice', 'POST', '/api/tasks', { json });
      expect(headers.get('x-task-ignored')).toContain('traceparent');
      expect((await host.tasks.get(body.data.taskId)).traceparent).toBeNull();
      const list = await host.user('alice', 'POST', '/api/tasks', {
        json: [{ input: 'a' }, { input: 'b' }],
        headers: { traceparent: CALLER },
      });
      for (const { taskId } of list.body.data.list) expect((await host.tasks.get(taskId)).traceparent).toBe(CALLER);
    });
  });
});

const idsOf = (span: { spanContext(): { traceId: string; spanId: string } }) => {
  const { traceId, spanId } = span.spanContext();
  return { traceId, spanId };
};
