import { EventEmitter } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ListJson, type ListTasksDto, TaskController } from '../../../src/index.js';
import { ANSWER_ROOMS } from '../../../src/contract/registration.js';
import {
  AnswerRoom,
  ANSWERS,
  type AnswerRooms,
  type AnswerSpace,
  FULL,
  noteSpace,
  spaceOf,
} from '../../../src/queue/answer-room.js';
import { TaskError } from '../../../src/contract/errors.js';
import { dataOf } from '../../support/answers.js';
import { type Host, PLACES, spread, startHost } from '../../support/host.js';
import type { Answer } from '../../support/http.js';
import { until } from '../../support/until.js';

const MIB = 1024 * 1024;

/** A client's end of an answer. */
class Client extends EventEmitter {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

describe('the room for answers under way', () => {
  let now = 0;
  let room: AnswerRoom;
  const open = (owner = 'alice'): { client: Client; space: AnswerSpace } => {
    const client = new Client();
    return { client, space: room.open(owner, client) };
  };
  const hold = (mebibytes: number, owner = 'alice') => {
    const { client, space } = open(owner);
    return { client, space, refusal: space.hold('all', mebibytes * MIB) };
  };
  const expectRefusal = (refusal: unknown, msg: RegExp): void => {
    expect(refusal).toBeInstanceOf(TaskError);
    expect(refusal).toMatchObject({ errorName: 'TOO_MANY_REQUESTS', detail: { msg: expect.stringMatching(msg) } });
  };
  const fresh = (): void => {
    room = new AnswerRoom(ANSWERS.share, () => now);
  };

  it('has a share for each owner, and a bound for all', () => {
    fresh();
    for (const owner of ['alice', 'bob']) for (const size of [8, 8]) expect(hold(size, owner).refusal).toBeUndefined();
    expectRefusal(hold(1).refusal, /of your answers/);
    expectRefusal(hold(1, 'carol').refusal, /retry after/);
  });

  it('is free again once the client has the answer, or has gone', () => {
    fresh();
    const first = hold(16);
    expectRefusal(hold(1).refusal, /of your answers/);
    first.client.emit('close');
    const second = hold(16);
    expect(second.refusal).toBeUndefined();
    second.client.destroy();
    // Nobody is there to hear it: it holds nothing.
    expect(second.space.hold('all', 8 * MIB)).toBeUndefined();
    expect(hold(16).refusal).toBeUndefined();
  });

  it('takes small answers, however full it is', () => {
    fresh();
    hold(16);
    expect(hold(1 / 16).refusal).toBeUndefined();
    expectRefusal(hold(1 / 8).refusal, /of your answers/);
  });

  it('takes an answer that is larger than all of it where there is no other', () => {
    fresh();
    const { client, refusal } = hold(100);
    expect(refusal).toBeUndefined();
    expectRefusal(hold(1, 'bob').refusal, /retry after/);
    client.destroy();
    expect(hold(1, 'bob').refusal).toBeUndefined();
  });

  it('drops an answer that its client was slow to read, and none that is not on its way yet', () => {
    fresh();
    const [made, sent, later] = [hold(4), hold(8), hold(4)];
    sent.space.send(8 * MIB);
    now += 9000;
    later.space.send(4 * MIB);
    expectRefusal(hold(1).refusal, /of your answers/);
    now += 2000;
    expect(hold(1).refusal).toBeUndefined();
    expect([made, sent, later].map(({ client }) => client.destroyed)).toEqual([false, true, false]);
    // Another owner's slow ones are in nobody's way while there is room for all.
    now += 20_000;
    expect(hold(8, 'bob').refusal).toBeUndefined();
    expect(later.client.destroyed).toBe(false);
    expect(hold(16, 'carol').refusal).toBeUndefined();
    expect([made.client.destroyed, later.client.destroyed]).toEqual([false, true]);
  });

  it('counts what an answer has become, and sends what must be sent', () => {
    fresh();
    const { space } = hold(16);
    expect(space.send(2 * MIB)).toBeUndefined();
    const other = hold(14);
    expect(other.refusal).toBeUndefined();
    expectRefusal(other.space.send(15 * MIB, false), /of your answers/);
    expect(other.space.send(15 * MIB)).toBeUndefined();
    expectRefusal(hold(1).refusal, /of your answers/);
  });

  it('bounds each answer, but for its first part', () => {
    fresh();
    const { space } = open();
    expect(space.hold('a', 9 * MIB)).toBeUndefined();
    expect(space.hold('b', 1)).toBe(FULL);
    space.clear();
    expect(space.hold('a', 4 * MIB)).toBeUndefined();
    expect(space.hold('b', 4 * MIB)).toBeUndefined();
    expect(space.hold('c', 1)).toBe(FULL);
    expect(space.hold('b', 3 * MIB)).toBeUndefined();
    expect(space.hold('c', MIB)).toBeUndefined();
    const alone = spaceOf({});
    expect([alone.hold('a', 100 * MIB), alone.hold('b', 1)]).toEqual([undefined, FULL]);
  });

  it('travels with the input, and says nothing in a log', () => {
    fresh();
    const { space } = open();
    const input = Object.assign(Object.create(null) as object, { input: 'in' });
    noteSpace(input, space);
    expect(spaceOf({ ...input, userId: 'alice' })).toBe(space);
    expect(JSON.stringify(input)).toBe('{"input":"in"}');
    for (const other of [undefined, null, 'text', Object.freeze({})])
      expect(() => noteSpace(other, space)).not.toThrow();
  });
});

function expectRefused({ status, body, headers }: Answer, msg: string): void {
  expect([status, headers.get('retry-after')]).toEqual([429, '1']);
  expect(body).toMatchObject({ status: 0, data: { code: 14009, detail: { msg: expect.stringContaining(msg) } } });
}

/** A host that overrides a handler hands the input on, and so the space. */
class OwnController extends TaskController {
  override async list(userId: string, query: ListTasksDto): Promise<ListJson> {
    return super.list(userId, { ...query, pageNum: query.pageNum ?? 20 });
  }
}

describe.each(spread(import.meta))('answers while the room is full, on $engine with $adapter', (where) => {
  let host: Host;
  let rooms: AnswerRooms;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { controller: OwnController }, nest: { logger: false } });
    rooms = host.app.get<AnswerRooms>(ANSWER_ROOMS, { strict: false });
  });
  afterAll(() => host?.close());
  const LARGE = '\u0001'.repeat(20_000);
  const full = async (room: AnswerRoom, owner: string, during: () => Promise<void>): Promise<void> => {
    const client = new Client();
    expect(room.open(owner, client).hold('all', 200 * MIB)).toBeUndefined();
    await during().finally(() => client.destroy());
  };

  it('users hear so, and nothing is done; small answers pass', async () => {
    const large = await host.tasks.create({ userId: 'alice', input: LARGE });
    const small = await host.tasks.create({ userId: 'alice', input: 'in' });
    const user = (method: string, path: string, json?: object) => host.user('alice', method, path, { json });
    await full(rooms.user, 'alice', async () => {
      for (const answer of [
        await user('GET', '/api/tasks'),
        await user('POST', '/api/tasks/list', { ids: [large.taskId] }),
        await user('GET', `/api/tasks/${large.taskId}`),
        await user('PUT', `/api/tasks/${large.taskId}`, { status: 10 }),
        await user('POST', '/api/tasks', { input: LARGE }),
        await user('POST', '/api/tasks', [{ input: LARGE }] as object),
      ]) {
        expectRefused(answer, 'of your answers');
      }
      expect(dataOf(await user('GET', `/api/tasks/${small.taskId}`)).input).toBe('in');
      expect(dataOf(await user('POST', '/api/tasks', { input: 'more' })).input).toBe('more');
      expectRefused(await host.user('bob', 'POST', '/api/tasks', { json: { input: LARGE } }), 'retry after');
    });
    const { list } = await host.tasks.list({ userId: 'alice' });
    expect(list.map(({ input, status }) => [input!.length, status])).toEqual([
      [4, 0],
      [2, 0],
      [20_000, 0],
    ]);
    expect(dataOf(await user('PUT', `/api/tasks/${large.taskId}`, { status: 10 })).status).toBe(10);
  });

  it('workers have a room of their own, and take nothing that they are not handed', async () => {
    const { taskId } = await host.tasks.create({ userId: 'dora', input: LARGE, service: 'held', status: 10 });
    const claim = () => host.worker('GET', '/api/crontask', { query: { service: 'held', limit: 5, lease: 60 } });
    await full(rooms.worker, '', async () => {
      expectRefused(await claim(), 'not read yet');
      expect(await host.tasks.get(taskId)).toMatchObject({ status: 10, attempts: 0 });
      expect(dataOf(await host.user('dora', 'GET', `/api/tasks/${taskId}`)).input).toBe(LARGE);
    });
    let leaseToken = '';
    await full(rooms.user, 'dora', async () => {
      const { list } = dataOf(await claim());
      expect(list).toHaveLength(1);
      ({ leaseToken } = list[0]);
    });
    await full(rooms.worker, '', async () => {
      const report = { leaseToken, status: 30 };
      const alone = await host.worker('PUT', `/api/crontask/${taskId}`, { json: report });
      expectRefused(alone, 'not read yet');
      const many = await host.worker('PUT', '/api/crontask', { json: { reports: [{ taskId, ...report }] } });
      expect(dataOf(many).list[0]).toMatchObject({ taskId, status: 0, data: { code: 14009 } });
      // A wrong token's answer shows the task, too.
      const other = await host.worker('PUT', `/api/crontask/${taskId}`, { json: { leaseToken: 'x' } });
      expectRefused(other, 'not read yet');
    });
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 20 });
  });
});

describe.each(PLACES)('an answer that is read, on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  it('leaves the room once its client has it, or has gone', async () => {
    const { user } = host.app.get<AnswerRooms>(ANSWER_ROOMS, { strict: false });
    const input = '\u0001'.repeat(65_535);
    for (let made = 0; made < 10; made++) await host.tasks.create({ userId: 'alice', input, args: input });
    const isEmpty = (): boolean => {
      const client = new Client();
      // With anybody else in it, it is too small for this.
      const refusal = user.open('bob', client).hold('all', ANSWERS.room);
      client.destroy();
      return refusal === undefined;
    };
    for (let turn = 0; turn < 5; turn++)
      expect(dataOf(await host.user('alice', 'GET', '/api/tasks')).list).toHaveLength(10);
    await until('it is empty', isEmpty);
    const headers = { 'x-user': 'alice' };
    const sent = request(`${host.url}/api/tasks`, { headers }, (response) => response.pause());
    sent.on('error', () => undefined).end();
    await until('it is not', () => !isEmpty());
    sent.destroy();
    await until('it is empty again', isEmpty);
  });
});
