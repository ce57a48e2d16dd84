import sql, { join, type Sql } from 'sql-template-tag';
import type { Task } from '../../contract/task.entity.js';
import type { Dialect } from '../../database/dialects/dialect.js';
import { type Row, type Script, together } from '../../database/transaction.js';
import type { Turns } from '../gates.js';
import { type TurnKey, TurnOrder, WINDOW } from '../turn-order.js';
import type { ReadyScan } from './ready-scan.js';

/** The most names that one read steps through. */
const NAMES = 200;
/** Services and priorities whose order is remembered. */
const ORDERS = 1000;
/** Priorities that one claim looks at one by one. After them it skips the tasks of full owners by reading them. */
const LEVELS = 8;

/**
 * Ready tasks of services in which owners, or groups, take turns: the most urgent priority first, in it of the next
 * eight with ready tasks the one with the least load, of it the oldest task. Owners who may start nothing are passed
 * by, however many tasks they have.
 */
export class ReadyTurns<T extends Task> {
  private readonly orders = new Map<string, TurnOrder>();

  constructor(
    private readonly dialect: Dialect,
    private readonly scan: ReadyScan<T>,
  ) {}

  /** Locks up to `limit` ready tasks in the order of the turns, and perhaps a few more behind them. */
  *find(columns: Sql, service: string, limit: number, turns: Turns): Script<Row[]> {
    const search = new Search(turns);
    let above: number | undefined;
    for (let levels = 0; search.found.length < limit; levels++) {
      const level = yield* this.scan.level(service, above);
      if (level === undefined) break;
      if (levels === LEVELS) {
        const missing = limit - search.found.length;
        const others = (without: string[], most: number): Script<Row[]> =>
          this.scan.others(columns, { service, above }, without, most);
        search.found.push(...(yield* open(turns, missing, others)));
        break;
      }
      yield* this.findAt(columns, service, level, limit, search);
      above = level;
    }
    return [...search.found, ...search.further];
  }

  /** The oldest ready tasks of a group, of owners who may start them. */
  ofGroup(columns: Sql, service: string, group: string, limit: number, turns: Turns): Script<Row[]> {
    return open(turns, limit, (without, most) => this.scan.others(columns, { service, group }, without, most));
  }

  /** Whether an owner with ready tasks may start one. Takes no locks. */
  *hasRoom(service: string, turns: Turns): Script<boolean> {
    if (!turns.isCapped) return true;
    if (turns.by === 'group') return yield* this.scan.hasOthers(service, turns.full);
    const { may } = new Search(turns);
    let above: number | undefined;
    for (let levels = 0; levels < LEVELS; levels++) {
      const level = yield* this.scan.level(service, above);
      if (level === undefined) return false;
      const order = this.orderOf(service, turns, level);
      order.freshen(performance.now());
      do {
        yield* this.read(order, service, turns, level, 1, may);
        if (order.count(may, 1) > 0) return true;
      } while (order.renew());
      above = level;
    }
    return yield* this.scan.hasOthers(service, turns.full);
  }

  /** Called when this process has made a task ready. */
  madeReady({ service, priority, userId, group }: T): void {
    if (this.orders.size === 0) return;
    this.orders.get(keyOf(service, 'owner', priority))?.note(userId);
    this.orders.get(keyOf(service, 'group', priority))?.note(group ?? null);
  }

  private *findAt(columns: Sql, service: string, level: number, limit: number, search: Search): Script<void> {
    const { turns } = search;
    const order = this.orderOf(service, turns, level);
    order.freshen(performance.now());
    search.begin();
    for (;;) {
      const wanted = limit - search.found.length;
      if (wanted <= 0) return;
      yield* this.read(order, service, turns, level, wanted + WINDOW - 1, search.may);
      const chosen = search.choose(order, wanted);
      const shares = [...counted(chosen)];
      // There are tasks of this priority.
      if (shares.length === 0 && search.isEmpty && order.renew()) continue;
      if (shares.length === 0) return;
      const headOf = ([key, share]: [TurnKey, number]): Script<Row[]> => {
        const head = { service, priority: level, turn: turns.by, key };
        // A second look at the same one sees the rows again that this claim has locked.
        const limit = share + search.has(key);
        if (turns.by === 'owner') return this.scan.head(columns, head, [], limit);
        return open(turns, limit, (without, most) => this.scan.head(columns, head, without, most));
      };
      const heads = yield* together(shares.map(headOf));
      const rows = new Map(shares.map(([key], place) => [key, search.withoutFound(heads[place]!)]));
      for (const key of search.take(chosen, rows)) order.forget(key);
    }
  }

  /** Reads names until `wanted` of them may start a task, or none is left. */
  private *read(
    order: TurnOrder,
    service: string,
    { by }: Turns,
    level: number,
    wanted: number,
    may: (key: TurnKey) => boolean,
  ): Script<void> {
    const { ready } = this.dialect;
    const source = ready.by(by);
    const fits = [ready.where, sql`${ready.column('service')} = ${service}`];
    // The index of groups has the priority behind the group.
    if (by === 'owner') fits.push(sql`${ready.column('priority')} = ${level}`);
    for (;;) {
      const missing = wanted - order.count(may, wanted);
      const range = missing > 0 ? order.next() : undefined;
      if (!range) return;
      const most = Math.min(NAMES, missing + WINDOW);
      const steps = { from: source.rows, where: join(fits, ' AND '), column: source.column, ...range, most };
      const names = yield* this.dialect.steps(steps);
      order.add(range, names, names.length < most);
    }
  }

  private orderOf(service: string, { by }: Turns, level: number): TurnOrder {
    const key = keyOf(service, by, level);
    let order = this.orders.get(key);
    if (!order) {
      if (this.orders.size >= ORDERS) this.orders.clear();
      this.orders.set(key, (order = new TurnOrder(by === 'group')));
    }
    return order;
  }
}

/** Rows of a query that leaves some owners out, as many of each owner as may start. */
function* open(
  { full, roomOf }: Turns,
  limit: number,
  query: (without: string[], limit: number) => Script<Row[]>,
): Script<Row[]> {
  const without = new Set(full);
  let kept: Row[] = [];
  for (;;) {
    const rows = yield* query([...without], limit - kept.length);
    const counts = new Map<string, number>();
    const fit = rows.filter((row) => {
      const owner = row.user_id as string;
      const count = (counts.get(owner) ?? 0) + 1;
      counts.set(owner, count);
      return count <= roomOf(owner);
    });
    const found = [...kept, ...fit];
    if (fit.length === rows.length || found.length >= limit) return found;
    for (const [owner, count] of counts) if (count > roomOf(owner)) without.add(owner);
    kept = found.filter((row) => without.has(row.user_id as string));
  }
}

/** What one claim has found. */
class Search {
  readonly found: Row[] = [];
  /** Rows that were locked beside those that were asked for. */
  readonly further: Row[] = [];
  private readonly given = new Map<TurnKey, number>();
  private tried = new Set<TurnKey>();
  private readonly ids = new Set<unknown>();
  /** How many tasks of each it has found at this priority. */
  private counts = new Map<TurnKey, number>();

  constructor(readonly turns: Turns) {}

  /** Begins with another priority. */
  begin(): void {
    this.tried = new Set();
    this.counts = new Map();
  }

  /** It has found nothing at this priority. */
  get isEmpty(): boolean {
    return this.counts.size === 0;
  }

  has(key: TurnKey): number {
    return this.counts.get(key) ?? 0;
  }

  withoutFound(rows: Row[]): Row[] {
    return rows.filter(({ id }) => !this.ids.has(id));
  }

  readonly may = (key: TurnKey): boolean => !this.tried.has(key) && this.turns.room(key) > (this.given.get(key) ?? 0);

  private readonly load = (key: TurnKey): number => this.turns.load(key, this.given.get(key) ?? 0);

  choose(order: TurnOrder, wanted: number): TurnKey[] {
    const chosen: TurnKey[] = [];
    while (chosen.length < wanted) {
      const key = order.serve(this.load, this.may);
      if (key === undefined) break;
      chosen.push(key);
      this.add(key, 1);
    }
    return chosen;
  }

  /** Takes the rows in the order of the turns, and returns those who had too few. */
  take(chosen: TurnKey[], rows: Map<TurnKey, Row[]>): TurnKey[] {
    for (const key of chosen) {
      const row = rows.get(key)!.shift();
      if (row) this.hold(key, row);
      else {
        this.tried.add(key);
        this.add(key, -1);
      }
    }
    for (const more of rows.values()) this.further.push(...more);
    return chosen.filter((key) => this.tried.has(key));
  }

  private hold(key: TurnKey, row: Row): void {
    this.found.push(row);
    this.ids.add(row.id);
    this.counts.set(key, this.has(key) + 1);
  }

  private add(key: TurnKey, count: number): void {
    this.given.set(key, (this.given.get(key) ?? 0) + count);
  }
}

function counted(keys: TurnKey[]): Map<TurnKey, number> {
  const counts = new Map<TurnKey, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

const keyOf = (...parts: [service: string, by: string, level: number]): string => JSON.stringify(parts);
