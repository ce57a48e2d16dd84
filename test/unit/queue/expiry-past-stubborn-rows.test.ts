import { describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { connect, withQueue } from '../schema/fixtures/queue.js';
import { createDatabase, type Engine, ENGINES } from '../../support/databases.js';

const { BEGIN, WAITING } = TASK_STATUS;

/** SQL that keeps one row as it is, as a host's own trigger may. */
const REFUSAL: Record<Engine, (id: string) => string[]> = {
  mysql: (id) => [
    `CREATE TRIGGER stubborn BEFORE UPDATE ON tasks FOR EACH ROW
      IF NEW.id = '${id}' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'stubborn'; END IF`,
  ],
  sqlite: (id) => [
    `CREATE TRIGGER stubborn BEFORE UPDATE ON tasks WHEN NEW.id = '${id}' BEGIN SELECT RAISE(ABORT, 'stubborn'); END`,
  ],
  postgres: (id) => [
    `CREATE FUNCTION stubborn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.id = '${id}' THEN RAISE EXCEPTION 'stubborn'; END IF; RETURN NEW; END $$`,
    'CREATE TRIGGER stubborn BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION stubborn()',
  ],
};

describe.each(ENGINES)('the sweeper on %s', (engine) => {
  it('passes over a row that can not be moved, and moves all others', async () => {
    const database = await createDatabase(engine);
    const dataSource = await connect(database);
    try {
      await withQueue(dataSource, {}, async ({ service, sweep }) => {
        const later = new Date(Date.now() + 3_600_000);
        const given = Array.from({ length: 9 }, (_, index) => ({ userId: 'alice', input: `${index}`, runAt: later }));
        const ids = (await service.createMany(given)).map(({ taskId }) => taskId);
        await dataSource.query(`UPDATE tasks SET run_at = '2026-01-01 00:00:00.000'`);
        const stubborn = ids[4]!;
        for (const sql of REFUSAL[engine](stubborn)) await dataSource.query(sql);
        await sweep();
        for (const id of ids) expect((await service.get(id)).status).toBe(id === stubborn ? WAITING : BEGIN);
        await dataSource.query(`DROP TRIGGER stubborn${engine === 'postgres' ? ' ON tasks' : ''}`);
        await sweep();
        expect((await service.get(stubborn)).status).toBe(BEGIN);
      });
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });
});
