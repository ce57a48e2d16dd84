import { columnsOf, SUM_COLUMNS, type Timing } from '../schema/tables/metrics.table.js';
import { bucketOf } from './histogram.js';
import type { Measurement } from './measurement.js';

/** Services that one minute of one process tells apart, besides those that the options name. */
const SERVICES = 100;
/** Rows that wait to be written. Beyond it, while the database takes none, each minute is one row. */
const ROWS = 10_000;
/** The name under which all further services are counted. */
export const OTHERS = '';
/** The most characters that the table's column takes. Only plain SQL can write a longer name. */
const NAME_LENGTH = 64;

/** One row of the table, or what is to be added to it. */
export interface RollupRow {
  /** Whole minutes since 1970 in UTC. */
  minute: number;
  service: string;
  /** By the place of their column in SUM_COLUMNS. */
  sums: number[];
}

export const minuteOf = (time: Date): number => Math.floor(time.getTime() / 60_000);

const PLACES = new Map(SUM_COLUMNS.map((name, place) => [name, place]));
export const placeOf = (column: string): number => PLACES.get(column)!;
const placesOf = (timing: Timing): { sum: number; first: number } => {
  const { sum, buckets } = columnsOf(timing);
  return { sum: placeOf(sum), first: placeOf(buckets[0]!) };
};
const TIMES = { wait: placesOf('wait'), run: placesOf('run') };

/** What this process has counted and not yet written. Its size is bounded, however many services users name. */
export class Rollup {
  private minutes = new Map<number, Map<string, RollupRow>>();
  private size = 0;
  private readonly named: ReadonlySet<string>;

  /** `named`: services that are always told apart. */
  constructor(named: Iterable<string>) {
    this.named = new Set(named);
  }

  add({ service, at, counts, times }: Measurement): void {
    const { sums } = this.row(minuteOf(at), service);
    for (const counter of counts) sums[placeOf(counter)]! += 1;
    for (const [timing, milliseconds] of Object.entries(times) as [Timing, number][]) {
      const { sum, first } = TIMES[timing];
      sums[sum]! += milliseconds;
      sums[first + bucketOf(milliseconds)]! += 1;
    }
  }

  /** All rows, which are forgotten here. */
  take(): RollupRow[] {
    const rows = [...this.minutes.values()].flatMap((services) => [...services.values()]);
    this.minutes = new Map();
    this.size = 0;
    return rows;
  }

  /** Adds rows that could not be written. */
  giveBack(rows: readonly RollupRow[]): void {
    for (const { minute, service, sums } of rows) {
      const row = this.row(minute, service);
      row.sums = row.sums.map((sum, place) => sum + sums[place]!);
    }
  }

  private row(minute: number, service: string): RollupRow {
    let services = this.minutes.get(minute);
    if (!services) this.minutes.set(minute, (services = new Map()));
    const name = services.has(service) || this.hasRoom(services, service) ? service : OTHERS;
    let row = services.get(name);
    if (!row) {
      services.set(name, (row = { minute, service: name, sums: SUM_COLUMNS.map(() => 0) }));
      this.size += 1;
    }
    return row;
  }

  private hasRoom(services: ReadonlyMap<string, unknown>, service: string): boolean {
    if (service.length > NAME_LENGTH || this.size >= ROWS) return false;
    return services.size < SERVICES || this.named.has(service);
  }
}
