import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Runs after `taskMigrations()`, which make the table: the time in the name is later.
 * Plain SQL, because TypeORM's `addColumn()` rebuilds the whole table on SQLite, and the queue's indexes with it.
 */
export class AddVideoTitle1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE video_tasks ADD COLUMN title varchar(100)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE video_tasks DROP COLUMN title');
  }
}
