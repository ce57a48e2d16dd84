import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Task } from '../../../src/index.js';
import { LiveStream, MOST_TASKS, type StreamReceiver } from '../../../src/live/live-stream.js';
import { WatchList } from '../../../src/live/watch-list.js';
import { AnswerRoom } from '../../../src/queue/answer-room.js';

/** A client that reads, or does not. */
class Client extends EventEmitter implements StreamReceiver {
  written: string[] = [];
  writableLength = 0;
  reads = true;
  destroyed = false;

  write(text: string): boolean {
    this.written.push(text);
    if (!this.reads) this.writableLength += text.length;
    return this.reads;
  }
  readAll(): void {
    this.reads = true;
    this.writableLength = 0;
    this.emit('drain');
  }
  end(): void {
    this.emit('close');
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
  events(name: string): any[] {
    return this.written
      .filter((text) => text.startsWith(`event: ${name}\n`))
      .map((text) => JSON.parse(text.slice(text.indexOf('data: ') + 6)));
  }
}

let made = 0;
const taskOf = (values: Partial<Task> = {}): Task =>
  Object.assign(new Task(), {
    taskId: `task-${++made}`,
    userId: 'alice',
    service: 's',
    group: null,
    status: 10,
    progress: 0,
    attempts: 0,
    updatedAt: new Date(),
    leaseExpiresAt: null,
    createdAt: new Date(made),
    ...values,
  });

/** A stream of these tasks, its client and its list; `read` answers what the database has. */
function streamOf(tasks: Task[]) {
  const client = new Client();
  const list = new WatchList((status) => status > 20 || status < 0);
  const database = new Map(tasks.map((task) => [task.taskId, task]));
  const read = jest.fn(async (ids: string[]) => new Map(ids.map((id) => [id, database.get(id)!])));
  const room = new AnswerRoom();
  const stream = new LiveStream(
    client,
    { service: 's' },
    { read, forget: (task, gone) => list.forget(task, gone) },
    room.open('alice', client),
  );
  for (const task of tasks) list.add(task, stream);
  stream.start({ rows: tasks, missing: [], hasMore: false, lastEventId: undefined });
  return { client, list, stream, database, read, room };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('An event stream', () => {
  afterEach(() => void jest.useRealTimers());

  it('keeps nothing for a client that does not read, and then sends the newest state of each task', async () => {
    const tasks = [taskOf(), taskOf()];
    const { client, list, database, read } = streamOf(tasks);
    await settled();
    expect(client.events('synced')).toHaveLength(1);
    client.reads = false;
    client.writableLength = 100_000;
    for (let progress = 1; progress <= 50; progress++)
      for (const task of tasks) {
        const changed = Object.assign(new Task(), task, { progress, status: 30, updatedAt: new Date(progress) });
        database.set(task.taskId, changed);
        list.get(task.taskId)!.change(changed);
      }
    const before = client.events('task').length;
    expect(before).toBe(3);
    client.readAll();
    await settled();
    expect(
      client
        .events('task')
        .slice(before)
        .map(({ progress }) => progress),
    ).toEqual([50, 50]);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('lets go of a client that reads nothing for 15 seconds, and of no other one', () => {
    jest.useFakeTimers();
    const { client, stream } = streamOf([]);
    stream.beat();
    expect(client.written.pop()).toBe(':\n\n');
    client.reads = false;
    client.writableLength = 100_000;
    stream.beat();
    jest.advanceTimersByTime(14_000);
    stream.beat();
    expect(client.destroyed).toBe(false);
    client.readAll();
    jest.advanceTimersByTime(20_000);
    stream.beat();
    expect(client.destroyed).toBe(false);
    client.reads = false;
    client.writableLength = 100_000;
    stream.beat();
    jest.advanceTimersByTime(15_001);
    stream.beat();
    expect(client.destroyed).toBe(true);
  });

  it('shows two changes in one millisecond, and nothing for a report that is sent again', () => {
    const task = taskOf();
    const { client, list, stream } = streamOf([]);
    list.add(task, stream);
    for (const input of ['a', 'b', 'b'])
      list.get(task.taskId)!.change(Object.assign(new Task(), task, { input, status: 30 }));
    expect(client.events('task').map(({ input }) => input)).toEqual(['a', 'b']);
  });

  it('counts large tasks that wait for a slow client, until it has read them', async () => {
    const task = taskOf({ input: 'x'.repeat(65_000), args: 'y'.repeat(65_000) });
    const { client, list, stream, room } = streamOf([task]);
    await settled();
    client.reads = false;
    list.get(task.taskId)!.change(Object.assign(new Task(), task, { status: 30 }));
    const other = room.open('alice', new Client());
    // 16 MiB are one owner's share.
    const rest = 16 * 1024 * 1024 - 100_000;
    expect(other.hold('all', rest)).toBeDefined();
    client.readAll();
    expect(other.hold('all', rest)).toBeUndefined();
    stream.close();
  });

  it(`watches ${MOST_TASKS} tasks, and leaves out the one without a change for the longest time`, async () => {
    const tasks = Array.from({ length: MOST_TASKS }, () => taskOf());
    const { list, stream, client } = streamOf(tasks);
    for (let turn = 0; turn < 200; turn++) await settled();
    expect(client.events('task')).toHaveLength(MOST_TASKS);
    const [first, second] = tasks;
    list.get(first!.taskId)!.change(Object.assign(new Task(), first, { status: 30 }));
    list.add(taskOf(), stream);
    expect(stream.watched.size).toBe(MOST_TASKS);
    expect([list.get(first!.taskId) !== undefined, list.get(second!.taskId)]).toEqual([true, undefined]);
    expect(list.size).toBe(MOST_TASKS);
    expect(stream.floor).toBe(second!.createdAt!.getTime());
  });
});

describe('The list of watched tasks', () => {
  it('lets tasks take turns if there are too many, those that have not ended first', () => {
    const tasks = Array.from({ length: 10 }, (_, index) => taskOf({ status: index < 4 ? 30 : 10 }));
    const { list } = streamOf(tasks);
    const picks = Array.from({ length: 4 }, () => list.pick(7).map(({ taskId }) => taskId));
    const running = tasks.slice(4).map(({ taskId }) => taskId);
    for (const pick of picks) expect(pick).toEqual(expect.arrayContaining(running));
    expect(new Set(picks.flat()).size).toBe(10);
    expect(list.pick(10)).toHaveLength(10);
  });
});
