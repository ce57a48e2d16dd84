import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Column, Entity, type MigrationInterface, type QueryRunner } from 'typeorm';
import {
  type CreateTaskDto,
  getTaskServiceToken,
  Task,
  TASK_STATUS,
  TaskController,
  type TaskJson,
  taskMigrations,
  type TaskService,
} from '../../../src/index.js';
import { type Host, PLACES, startHost } from '../../support/host.js';

/** Its properties have the names of the queue's. */
class Place {
  @Column({ name: 'place_group', type: 'varchar', length: 20, nullable: true })
  group!: string | null;

  @Column({ name: 'place_status', type: 'smallint', nullable: true })
  status!: number | null;
}

@Entity('films', { synchronize: false })
class Film extends Task {
  @Column(() => Place, { prefix: false })
  place!: Place;

  @Column({ type: 'varchar', length: 5, nullable: true })
  title!: string | null;

  @Column({ type: 'smallint', nullable: true })
  length!: number | null;

  @Column({ type: 'varchar', length: 10, nullable: true })
  code!: string | null;
}

class AddColumns1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const place = ['place_group varchar(20)', 'place_status smallint'];
    for (const column of ['title varchar(5)', 'length smallint CHECK (length <> 13)', 'code varchar(10)', ...place])
      await runner.query(`ALTER TABLE films ADD COLUMN ${column}`);
    await runner.query('CREATE UNIQUE INDEX films_code ON films (code)');
  }
  async down(): Promise<void> {}
}

/** A host that checks nothing by itself: what the user sends goes into the host's columns. */
class FilmController extends TaskController<Film> {
  override async create(userId: string, body: CreateTaskDto): Promise<TaskJson> {
    const { taskId } = await this.tasks.create({ userId, input: 'in', ...JSON.parse(body.input!) });
    return { taskId } as unknown as TaskJson;
  }
}

describe.each(PLACES)("values that a host's own columns refuse, on $engine", (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({
      ...where,
      options: { entity: Film, controller: FilmController, migrate: false },
      typeorm: { migrations: [...taskMigrations({ table: 'films' }), AddColumns1764000000000], migrationsRun: true },
      nest: { logger: false },
    });
  });
  afterAll(() => host?.close());
  const create = (columns: object) =>
    host.user('alice', 'POST', '/api/tasks', { json: { input: JSON.stringify(columns) } });

  it('are INVALID_PARAM, with the column where the engine tells', async () => {
    expect((await create({ code: 'taken' })).status).toBe(200);
    const tells = where.engine === 'mysql';
    // SQLite holds nothing to a length or a range.
    const cases: [object, string][] =
      where.engine === 'sqlite'
        ? [[{ code: 'taken' }, 'code']]
        : [
            [{ title: 'too long' }, tells ? 'title' : 'body'],
            [{ length: 70_000 }, tells ? 'length' : 'body'],
            [{ length: 'long' }, tells ? 'length' : 'body'],
            [{ code: 'taken' }, tells ? 'body' : 'code'],
          ];
    cases.push([{ length: 13 }, 'body']);
    for (const [columns, field] of cases) {
      const { status, body } = await create(columns);
      expect([columns, status, body.data]).toMatchObject([columns, 400, { code: 14004, detail: [{ field }] }]);
    }
    expect((await create({ title: 'fits', length: 12 })).status).toBe(200);
  });

  it('may stand in an embedded object, whose names are then no names of the queue', async () => {
    const { taskId } = (
      await create({ status: TASK_STATUS.BEGIN, group: 'of the queue', place: { group: 'Cannes', status: 7 } })
    ).body.data;
    const tasks = host.app.get<TaskService<Film>>(getTaskServiceToken());
    const shown = { group: 'of the queue', place: { group: 'Cannes', status: 7 } };
    expect(await tasks.get(taskId)).toMatchObject(shown);
    expect(await tasks.claim({ taskId })).toMatchObject([shown]);
  });
});
