import type { Allowance, WaitReason } from '../queue/gates.js';
import type { Script } from '../database/transaction.js';
import { creditAt, START } from './credit.js';
import type { ServiceStore, StoredService } from './service.store.js';
import { type FlowSettings, type GivenSettings, inForce, optionsAt, type Rate } from './settings.js';

/** What the process knows of limits. */
export interface KnownLimits {
  readonly options: Readonly<Record<string, FlowSettings>>;
  has(service: string): boolean;
  /** The rate has less than one start left. */
  emptied(service: string, rate: Rate, credit: number): void;
  /** As many of its tasks run as may, as far as can be seen. */
  isFull(service: string): void;
}

/** A service whose row this transaction has locked. */
interface Entered {
  settings: GivenSettings;
  running: number;
  /** Millionths of starts. undefined: it has no rate. */
  credit: number | undefined;
  now: Date;
}

/**
 * What one transaction may start of limited services. The statement that locks the rows comes first; the count and the
 * clock are statements of their own behind it, so that they see what was committed while the lock was waited for.
 */
export class ClaimAllowance implements Allowance {
  private readonly entered = new Map<string, Entered>();
  private readonly held = new Set<string>();

  constructor(
    private readonly limits: KnownLimits,
    private readonly store: ServiceStore,
    readonly mayWait: boolean,
  ) {}

  *enter(services: readonly string[], waits = false): Script<void> {
    const asked = [...new Set(services)].filter((service) => this.limits.has(service) && !this.entered.has(service));
    if (asked.length === 0) return;
    const { locked, running, now } = yield* this.store.lock(asked, waits);
    for (const row of locked) this.add(row, running.get(row.service) ?? 0, now);
    const missing = asked.filter((service) => !this.entered.has(service));
    for (const service of missing) this.held.add(service);
    if (!waits || missing.length === 0) return;
    // Nobody holds them: somebody has deleted their rows.
    yield* this.store.ensure(missing);
    yield* this.enter(missing, waits);
  }

  left(service: string): number {
    if (!this.limits.has(service)) return Infinity;
    const found = this.entered.get(service);
    return found ? Math.max(0, Math.min(roomOf(found), startsOf(found))) : 0;
  }

  isHeld(service: string): boolean {
    return this.held.has(service);
  }

  get meetsOthers(): boolean {
    return this.held.size > 0;
  }

  get isFree(): boolean {
    return this.entered.size === 0;
  }

  reason(service: string): WaitReason | undefined {
    const found = this.entered.get(service);
    if (!found) return undefined;
    if (found.settings.paused) return 'paused';
    if (roomOf(found) <= 0) return 'limit';
    return startsOf(found) <= 0 ? 'rate' : undefined;
  }

  time(service: string): Date | undefined {
    const found = this.entered.get(service);
    return found?.credit === undefined ? undefined : found.now;
  }

  isMarked(service: string): boolean {
    return (this.entered.get(service)?.settings.maxRunning ?? null) !== null;
  }

  *started(services: readonly string[]): Script<void> {
    for (const service of new Set(services)) {
      const found = this.entered.get(service);
      if (!found) continue;
      const count = services.filter((name) => name === service).length;
      found.running += count;
      if (found.credit === undefined) continue;
      found.credit -= count * START;
      yield* this.store.spend(service, found.credit, found.now);
      this.noteRate(service, found);
    }
  }

  private add({ service, credit, at, ...stored }: StoredService, running: number, now: Date): void {
    const settings = inForce(stored, optionsAt(this.limits.options[service] ?? {}, now));
    const left = settings.rate ? creditAt(settings.rate, { credit, at }, now) : undefined;
    const found = { settings, running, credit: left, now };
    this.entered.set(service, found);
    this.held.delete(service);
    this.noteRate(service, found);
    if (roomOf(found) <= 0 && !settings.paused) this.limits.isFull(service);
  }

  private noteRate(service: string, { settings: { rate }, credit }: Entered): void {
    if (rate && credit !== undefined && credit < START) this.limits.emptied(service, rate, credit);
  }
}

const roomOf = ({ settings: { maxRunning, paused }, running }: Entered): number =>
  paused ? 0 : maxRunning === null ? Infinity : maxRunning - running;

const startsOf = ({ credit }: Entered): number => (credit === undefined ? Infinity : Math.floor(credit / START));
