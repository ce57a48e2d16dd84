import { randomUUID } from 'node:crypto';
import { createPool } from 'mysql2/promise';
import { controllerOver, peerRequests } from './controller.js';

/** The way of claiming that this project succeeds: SELECT the oldest, then UPDATE it if it is still ready. */
export const original = {
  name: "the original's way",
  requests: peerRequests,

  async module(url) {
    return { controllers: [controllerOver(await original.open(url))] };
  },

  async open(url) {
    const pool = createPool({ uri: url, connectionLimit: 16 });
    await pool.query(`CREATE TABLE IF NOT EXISTS tasks (
      id char(36) NOT NULL PRIMARY KEY, user_id char(36) NOT NULL, service varchar(20) NOT NULL,
      status int NOT NULL DEFAULT 0, progress tinyint NOT NULL DEFAULT 0, input text, args text, temp text, output text,
      created_at datetime(3), updated_at datetime(3), KEY (status, created_at)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
    return {
      async create(inputs) {
        const ids = inputs.map(() => randomUUID());
        await pool.query('INSERT INTO tasks (id, user_id, service, status, input, created_at) VALUES ?', [
          inputs.map((input, index) => [ids[index], 'bench', 'default', 10, input, new Date()]),
        ]);
        return ids;
      },
      async claim() {
        for (;;) {
          const [rows] = await pool.query('SELECT * FROM tasks WHERE status = 10 ORDER BY created_at LIMIT 1');
          if (rows.length === 0) return [];
          const [{ id, input }] = rows;
          const [{ affectedRows }] = await pool.query(
            'UPDATE tasks SET status = 20, updated_at = NOW(3) WHERE id = ? AND status = 10',
            [id],
          );
          if (affectedRows === 1) return [{ taskId: id, input }];
        }
      },
      async finish(claimed) {
        for (const { taskId, output } of claimed)
          await pool.query(
            'UPDATE tasks SET status = 30, output = ?, progress = 100, updated_at = NOW(3) WHERE id = ?',
            [output, taskId],
          );
      },
      close: () => pool.end(),
    };
  },

  async counts(url) {
    const pool = createPool({ uri: url });
    const [[row]] = await pool
      .query('SELECT COUNT(*) AS n, COALESCE(SUM(status = 30), 0) AS finished FROM tasks')
      .finally(() => pool.end());
    return { finished: Number(row.finished), all: Number(row.n) };
  },
};
