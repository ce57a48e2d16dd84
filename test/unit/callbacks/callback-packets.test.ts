import { describe, expect, it } from '@jest/globals';
import { format, type SqlValue } from 'mysql2';
import { TASK_STATUS } from '../../../src/index.js';
import type { NewCallback } from '../../../src/callbacks/callback.rows.js';
import { CallbackStore } from '../../../src/callbacks/callback.store.js';
import { createDialect } from '../../../src/database/dialects/create-dialect.js';
import { bothTimes } from '../../../src/database/stored-time.js';
import { runAsync, type Statement } from '../../../src/database/transaction.js';

const COMMIT: Statement = { sql: 'COMMIT', text: 'COMMIT', values: [] };

/** Bytes of each packet that these are written with, as MySQL's driver makes them. */
async function packets(callbacks: NewCallback[]): Promise<number[]> {
  const store = new CallbackStore(
    createDialect('mysql', {
      table: 'tasks',
      status: TASK_STATUS,
      times: bothTimes({ offsetMinutes: 0, digits: 3, zoned: false }),
    }),
  );
  const sent: number[] = [];
  await runAsync(
    store.insert(callbacks),
    (statements) => {
      const bytes = statements.map(({ sql, values }) => Buffer.byteLength(format(sql, values as SqlValue[])));
      sent.push(bytes.reduce((sum, each) => sum + each, 0));
      return Promise.resolve(statements.map(() => ({ rows: [], affected: 0 })));
    },
    [],
    [COMMIT],
  );
  return sent;
}

const callbacks = (count: number, text: string): NewCallback[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `id-${index}`,
    taskId: `task-${index}`,
    type: 'task.failed',
    url: 'http://127.0.0.1:9/done',
    origin: 'http://127.0.0.1:9',
    isOwn: false,
    body: JSON.stringify({ data: { input: text } }),
  }));

describe('the callbacks of a batch', () => {
  it.each([
    ['long', 'x'.repeat(85_000)],
    ['of three bytes a character', '漢'.repeat(60_000)],
  ])('travel in packets of a length that every server takes, where they are %s', async (_, text) => {
    const row = Buffer.byteLength(text);
    const sent = await packets(callbacks(200, text));
    expect(sent.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(200 * row);
    expect(Math.max(...sent)).toBeLessThan(1_000_000 + row);
  });

  it('travel with COMMIT, where they are few', async () => {
    expect(await packets(callbacks(20, 'x'))).toHaveLength(1);
  });
});
