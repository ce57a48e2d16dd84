import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations } from '../../../src/index.js';
import type { Row, Script } from '../../../src/database/transaction.js';
import { OwnerTurns } from '../../../src/flow/owner-turns.js';
import { NOTHING } from '../../../src/flow/settings.js';
import type { Allowance } from '../../../src/queue/gates.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { costOf, storesOf } from '../queue/fixtures/cost.js';
import { connect } from '../schema/fixtures/queue.js';
import { afterFlood, flood } from './fixtures/flood.js';

const ROWS = 10_000;
const FULL = 200;

/** Service -> owners with ready tasks. In the last one 200 owners, one beside the other, are at their limit. */
const SERVICES: [service: string, owners: number][] = [
  ['one', 1],
  ['hundred', 100],
  ['many', 5000],
  ['full', 2000],
];

describe.each(ENGINES)('what turns read on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    await runTaskMigrations(dataSource);
    for (const [service, owners] of SERVICES)
      await dataSource.query(flood(engine, { id: service, service, count: ROWS, owners }));
    for (const text of afterFlood(engine)) await dataSource.query(text);
  }, 120_000);
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  const isFull = (owner: string): boolean => Number(owner.slice(1)) < 10_000 + FULL;
  const turnsOf = (service: string): OwnerTurns => {
    const limit = (owner: string): number | undefined => (service === 'full' && isFull(owner) ? 0 : undefined);
    return new OwnerTurns('owner', { ...NOTHING, maxRunningPerOwner: limit }, new Map(), new Map());
  };

  /** Rows that claims read for each task, on average over many claims one after the other. */
  const readsOf = async (service: string, limit: number, isFair = true): Promise<number> => {
    const { ready } = storesOf(dataSource, engine);
    const find = function* (): Script<Row[]> {
      const turns = { left: () => Infinity, turns: () => turnsOf(service) } as unknown as Allowance;
      const allowance = isFair ? turns : undefined;
      return (yield* ready.find({ service }, limit, limit, allowance)).rows;
    };
    // Once around.
    const claims = service === 'full' ? (2000 - FULL) / limit : 240 / limit;
    let [read, found] = [0, 0];
    for (let claim = 0; claim < claims; claim++) {
      const { result, read: rows } = await costOf(dataSource, engine, find);
      expect(result).toHaveLength(limit);
      if (service === 'full') for (const row of result) expect(isFull(row.user_id as string)).toBe(false);
      read += rows;
      found += limit;
    }
    return read / found;
  };

  it('is the same for one owner, for 100 and for 5,000, and with 200 at their limit', async () => {
    const reads = new Map<string, number>();
    for (const [service] of SERVICES)
      for (const limit of service === 'full' ? [12] : [1, 12])
        reads.set(`${service} ${limit}`, await readsOf(service, limit));
    const plain = [await readsOf('hundred', 1, false), await readsOf('hundred', 12, false)] as const;
    if (process.env.TEST_FIGURES)
      process.stdout.write(`    ${engine}: ${JSON.stringify([...reads])}; without turns ${plain.join(', ')}\n`);
    for (const [key, read] of reads) {
      const limit = Number(key.split(' ')[1]);
      // SQLite counts steps of its machine, not rows.
      if (engine === 'sqlite') expect(read).toBeLessThanOrEqual(reads.get(`hundred ${limit}`)! * 1.25);
      // The name, the ready row and the task; and each claim looks for the most urgent priority. The names of owners
      // at their limit are read once a lap, and those that are read ahead are still to come. Where the ready row is the
      // task, that is one less.
      else expect(read).toBeLessThanOrEqual((engine === 'mysql' ? 3 : 2) + 1 / limit + 0.25);
    }
  }, 120_000);
});
