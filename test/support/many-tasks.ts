import { DataSource } from 'typeorm';
import type { Host } from './host.js';

/** Tasks that plain SQL writes, because requests would take minutes for so many. For SQLite. */
export interface ManyTasks {
  count: number;
  status: number;
  service?: string;
  userId?: string;
  error?: string;
}

/** Writes tasks with ids as the queue makes them, the last one created a minute ago, one in each millisecond. */
export async function writeTasks(host: Host, { count, status, ...more }: ManyTasks): Promise<void> {
  const { service = 'many', userId = 'alice', error = null } = more;
  const start = Date.now() - 60_000 - count;
  const time = "strftime('%Y-%m-%d %H:%M:%f', ms / 1000.0, 'unixepoch')";
  await host.app.get(DataSource).query(
    `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1}),
      made AS (SELECT i, ${start} + i AS ms, printf('%012x', ${start} + i) AS hex FROM n)
    INSERT INTO tasks (id, user_id, service, status, input, error, created_at, updated_at)
    SELECT substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7000-8000-' || printf('%012x', i), ?, ?, ?, 'input ' || i, ?,
      ${time}, ${time} FROM made`,
    [userId, service, status, error],
  );
}
