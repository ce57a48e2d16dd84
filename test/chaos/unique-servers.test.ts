import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, describeOn, type TestDatabase } from '../support/databases.js';
import { call } from '../support/http.js';
import { type RunningServer, startServer } from '../support/server.js';

const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const AT_ONCE = 64;
const KEYS = 8;

// SQLite serves one process.
describeOn('mysql', 'postgres')('unique tasks over two servers (%s)', (engine) => {
  let database: TestDatabase;
  let servers: RunningServer[];
  let headers: Record<string, string>;
  beforeAll(async () => {
    headers = { authorization: `Bearer ${await userToken(SECRET, 'alice')}` };
    database = await createDatabase(engine);
    servers = [await start(), await start()];
  });
  afterAll(async () => {
    for (const server of servers ?? []) await server.stop();
    await database?.drop();
  });

  const start = () => startServer({ DATABASE_URL: database.url, TASK_JWT_SECRET: SECRET });
  const create = (server: RunningServer, key: string) =>
    call('POST', `${server.url}/api/tasks`, { json: { input: 'x', status: 10, unique: { key } }, headers });
  const countAll = async (): Promise<number> => {
    const { body } = await call('GET', `${servers[1]!.url}/api/tasks?pageNum=1000`, { headers });
    return body.data.list.length;
  };

  it('64 creates at once give one task, and 63 duplicates of it', async () => {
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => create(servers[index % 2]!, 'one')),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ body }) => body.data.taskId)).size).toBe(1);
    expect(answers.filter(({ body }) => !body.data.duplicate)).toHaveLength(1);
    expect(await countAll()).toBe(1);
  });

  it('a server killed in the middle leaves one task a key, and no key locked', async () => {
    const keys = Array.from({ length: KEYS }, (_, index) => `killed-${index}`);
    let answered = 0;
    const storm = keys.flatMap((key) =>
      Array.from({ length: 16 }, async (_, index) => {
        await create(servers[index % 2]!, key).catch(() => undefined);
        answered += 1;
        if (answered === 10) servers[0]!.process.kill('SIGKILL');
      }),
    );
    await Promise.all(storm);
    const again = await Promise.all(keys.map((key) => create(servers[1]!, key)));
    expect(again.map(({ status }) => status)).toEqual(keys.map(() => 200));
    expect(await countAll()).toBe(1 + KEYS);
  });
});
