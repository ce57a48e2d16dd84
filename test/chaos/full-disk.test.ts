import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { userToken } from '../../src/server/secrets.js';
import { type Answer, call } from '../support/http.js';
import { machineHas } from '../support/machine.js';
import { startServer } from '../support/server.js';
import { until } from '../support/until.js';

const SECRET = 'a-secret-of-thirty-two-characters-or-more';
const WORKER = 'worker-token-0123456789';
const TEXT = 'x'.repeat(20_000);

/** A file system of 8 MiB. */
const disk = mkdtempSync(join(tmpdir(), 'softdd-task-disk-'));
const mounted = machineHas('small disk (only root may mount one)', () =>
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], { stdio: 'pipe' }),
);

afterAll(() => {
  if (mounted) execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
});

(mounted ? it : it.skip)(
  'SQLite on a full disk: 503, not ready, nothing answered is lost, and well again once there is space',
  async () => {
    const server = await startServer({
      DATABASE_URL: `sqlite:${join(disk, 'tasks.sqlite')}`,
      TASK_WORKER_TOKENS: WORKER,
      TASK_JWT_SECRET: SECRET,
    });
    const alice = await userToken(SECRET, 'alice');
    const send = (token: string, method: string, path: string, json?: unknown): Promise<Answer> =>
      call(method, server.url + path, { headers: { authorization: `Bearer ${token}` }, ...(json ? { json } : {}) });
    const create = (): Promise<Answer> => send(alice, 'POST', '/api/tasks', { input: TEXT, status: 10 });
    const ready = async (): Promise<number> => (await send(alice, 'GET', '/health/ready')).status;
    try {
      const created = new Set<string>();
      const note = (answer: Answer): void => {
        if (answer.status === 200) created.add(answer.body.data.taskId);
        else expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.anything()]);
      };
      for (let count = 0; count < 5; count++) note(await create());
      expect([created.size, await ready()]).toEqual([5, 200]);
      // Somebody else fills the disk, to its last byte.
      for (let bytes = 4 << 20; bytes >= 1; bytes >>= 1)
        for (let file = 0; file < 4; file++)
          try {
            writeFileSync(join(disk, `filler-${bytes}-${file}`), Buffer.alloc(bytes));
          } catch {
            // Full for that size.
          }
      expect(statfsSync(disk).bavail).toBe(0);
      await until('is full', async () => {
        const answer = await create();
        note(answer);
        return answer.status === 503;
      });
      for (const answer of await Promise.all([create(), create(), create()])) note(answer);
      await until('not ready', async () => (await ready()) === 503);
      // Reading goes on.
      expect((await send(alice, 'GET', '/api/tasks')).status).toBe(200);
      for (const name of readdirSync(disk)) if (name.startsWith('filler')) rmSync(join(disk, name));
      await until('ready', async () => (await ready()) === 200);
      const before = created.size;
      for (let count = 0; count < 3; count++) note(await create());
      expect(created.size).toBe(before + 3);
      const claimed = await send(WORKER, 'GET', '/api/crontask?lease=60&limit=100');
      const got = claimed.body.data.list.map(({ task }: { task: { taskId: string } }) => task.taskId);
      expect(got.sort()).toEqual([...created].sort());
    } finally {
      await server.stop();
    }
  },
  60_000,
);
