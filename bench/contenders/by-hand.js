import { randomUUID } from 'node:crypto';
import { createPool } from 'mysql2';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { runTaskMigrations } from '../../dist/src/index.js';
import { controllerOver, peerRequests } from './controller.js';
import { dataSourceOptions, softdd } from './softdd.js';

const BEGIN = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION';
const NOW = "DATE_FORMAT(UTC_TIMESTAMP(3), '%Y-%m-%d %H:%i:%s.%f') AS now";

/** What this project sends for one task on MySQL, sent by hand: what is left is the price of everything around it. */
export const byHand = {
  name: 'the same SQL by hand',
  requests: peerRequests,
  counts: softdd.counts,

  async module(url) {
    const dataSource = await new DataSource(dataSourceOptions(url)).initialize();
    await runTaskMigrations(dataSource, {});
    await dataSource.destroy();
    const pool = createPool({ uri: url, connectionLimit: 10, multipleStatements: true });
    const query = (connection, sql, values = []) =>
      new Promise((resolve, reject) =>
        connection.query(sql, values, (error, result) => (error ? reject(error) : resolve(result))),
      );
    const inTransaction = (work) =>
      new Promise((resolve, reject) =>
        pool.getConnection((error, connection) => {
          if (error) return reject(error);
          work((sql, values) => query(connection, sql, values))
            .then(resolve, reject)
            .finally(() => connection.release());
        }),
      );
    const calls = {
      create: ([input]) =>
        inTransaction(async (send) => {
          const id = uuidv7();
          const [, , [{ now }]] = await send(`${BEGIN}; SELECT ${NOW}`);
          await send(
            'INSERT INTO tasks (id, user_id, input, service, status, created_at, updated_at) VALUES (?); COMMIT',
            [[id, 'bench', input, 'default', 10, now, now]],
          );
          return [id];
        }),
      claim: () =>
        inTransaction(async (send) => {
          const [, , [task]] = await send(
            `${BEGIN}; SELECT tasks.*, ${NOW} FROM tasks_ready LEFT JOIN tasks
              ON tasks.id = tasks_ready.task_id AND tasks.status = 10 WHERE tasks_ready.service = 'default'
              ORDER BY tasks_ready.priority, tasks_ready.created_at, tasks_ready.task_id LIMIT 1 FOR UPDATE SKIP LOCKED`,
          );
          if (!task) return send('COMMIT').then(() => []);
          await send(
            `UPDATE tasks SET status = 20, attempts = 1, lease_token = ?, lease_seconds = 300, lease_expires_at = ?,
              worker_id = 'bench', claim_key = NULL, started_at = ?, updated_at = ? WHERE id = ?; COMMIT`,
            [randomUUID(), task.now, task.now, task.now, task.id],
          );
          return [{ taskId: task.id, input: task.input }];
        }),
      finish: ([{ taskId, output }]) =>
        inTransaction(async (send) => {
          const [, , , [task]] = await send(
            `${BEGIN}; SELECT id FROM tasks WHERE id = ? FOR UPDATE; SELECT *, ${NOW} FROM tasks WHERE id = ?`,
            [taskId, taskId],
          );
          await send(
            `UPDATE tasks SET status = 30, progress = 100, output = ?, error = NULL, lease_expires_at = NULL,
              finished_at = ?, updated_at = ? WHERE id = ?; COMMIT`,
            [output, task.now, task.now, taskId],
          );
        }),
    };
    return { controllers: [controllerOver(calls)] };
  },
};
