import { type Database, reading, transaction } from '../database/database.js';
import { type Job, Poller, type Service } from '../polling/poller.js';
import type { Gates } from '../queue/gates.js';
import type { ServiceLimits } from './limits.js';
import { Orphans } from './orphans.js';
import type { ServiceStore } from './service.store.js';
import { type GivenSettings, inForce, NOTHING, optionsAt } from './settings.js';

/** Milliseconds between two looks: every process knows a change within a second. */
const INTERVAL = { shortest: 500, longest: 500 } as const;

/**
 * Milliseconds for which tasks are looked for that were started without a mark, after their service is limited: claims
 * of this process may be on their way, and other processes learn of the limit later.
 */
const LATE = 5000;
/** Tasks that one transaction marks. */
const PIECE = 500;

/** Keeps the settings of the services in force, also those that other processes set. */
export class SettingsLook implements Job, Service {
  readonly name = 'looking for settings of services';
  readonly interval = INTERVAL;
  private readonly poller = new Poller(this);
  private readonly orphans: Orphans;
  /** Counted services, and until when tasks may still be found that were started without a mark. */
  private counting: ReadonlyMap<string, number> = new Map();

  constructor(
    private readonly database: Database,
    private readonly store: ServiceStore,
    private readonly gates: Gates,
    private readonly limits: ServiceLimits,
    /** Called when claims may find more than before. */
    private readonly opened: () => void,
  ) {
    this.orphans = new Orphans(database, store);
  }

  async run(): Promise<boolean> {
    const { rows, now } = await reading(this.database, () => this.store.all());
    const { options } = this.limits;
    const stored = new Map(rows.map((row) => [row.service, row]));
    const settings = new Map<string, GivenSettings>();
    for (const service of new Set([...stored.keys(), ...Object.keys(options)]))
      settings.set(service, inForce(stored.get(service) ?? NOTHING, optionsAt(options[service] ?? {}, now)));
    const paused = [...settings].filter(([, { paused }]) => paused).map(([service]) => service);
    const isOpened = this.gates.close(paused);
    const isChanged = this.limits.set(settings);
    const began = performance.now();
    await this.prepare(stored, began);
    const hasRoom = await this.orphans.remove(this.limits.takeFull(), began);
    if (isOpened || isChanged || hasRoom) this.opened();
    return false;
  }

  /** Limited services need a row to lock, and what already runs must count. */
  private async prepare(stored: Pick<ReadonlyMap<string, unknown>, 'has'>, now: number): Promise<void> {
    const { services, counted } = this.limits;
    const rowless = services.filter((service) => !stored.has(service));
    if (rowless.length > 0) await transaction(this.database, () => this.store.ensure(rowless));
    this.counting = new Map(counted.map((service) => [service, this.counting.get(service) ?? now + LATE]));
    const fresh = counted.filter((service) => this.counting.get(service)! >= now);
    if (fresh.length > 0) await this.mark(fresh);
  }

  private async mark(services: string[]): Promise<void> {
    for (;;) {
      const ids = await reading(this.database, () => this.store.unmarked(services, PIECE));
      if (ids.length === 0) return;
      await transaction(this.database, () => this.store.mark(ids));
      if (ids.length < PIECE) return;
    }
  }

  start(): void {
    this.poller.start();
  }

  stop(): Promise<void> {
    this.limits.stop();
    return this.poller.stop();
  }
}
