import type { Allowance, Belonging, Turns, WaitReason } from '../queue/gates.js';
import type { Script } from '../database/transaction.js';
import { creditAt, START } from './credit.js';
import { OwnerTurns } from './owner-turns.js';
import type { Running } from './running.store.js';
import { askedOf, type ServiceStore, type StoredService } from './service.store.js';
import {
  type FlowSettings,
  type GivenSettings,
  inForce,
  isCounted,
  isLimited,
  optionsAt,
  type Rate,
  turnOf,
} from './settings.js';

/** What the process knows of limits. */
export interface KnownLimits {
  readonly options: Readonly<Record<string, FlowSettings>>;
  has(service: string): boolean;
  /** The settings in force. undefined: it has no limits, and nobody takes turns. */
  of(service: string): GivenSettings | undefined;
  /** The rate has less than one start left. */
  emptied(service: string, rate: Rate, credit: number): void;
  /** As many of its tasks run as may, as far as can be seen. */
  isFull(service: string): void;
}

/** A service whose row this transaction has locked. If only turns are taken in it, its row is not locked. */
interface Entered {
  settings: GivenSettings;
  running: number;
  /** Millionths of starts. undefined: it has no rate. */
  credit: number | undefined;
  /** undefined: a rate sets no time, and nothing else needs one. */
  now: Date | undefined;
  turns: OwnerTurns | undefined;
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
    const limited = asked.filter((service) => isLimited(this.limits.of(service)!));
    yield* this.look(asked.filter((service) => !limited.includes(service)));
    if (limited.length === 0) return;
    const { locked, running, now } = yield* this.store.lock(limited, waits, this.toCount(limited));
    for (const row of locked) this.add(row, running, now);
    const missing = limited.filter((service) => !this.entered.has(service));
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
    // Services in which only turns are taken are not locked.
    return [...this.entered.values()].every(({ now }) => !now);
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
    const found = this.entered.get(service);
    return found !== undefined && isCounted(found.settings);
  }

  turns(service: string): Turns | undefined {
    return this.entered.get(service)?.turns;
  }

  *started(tasks: readonly Belonging[]): Script<void> {
    for (const service of new Set(tasks.map((task) => task.service))) {
      const found = this.entered.get(service);
      if (!found) continue;
      const started = tasks.filter((task) => task.service === service);
      const count = started.length;
      found.running += count;
      for (const task of started) found.turns?.started(task);
      if (found.credit === undefined || !found.now) continue;
      found.credit -= count * START;
      yield* this.store.spend(service, found.credit, found.now);
      this.noteRate(service, found);
    }
  }

  /** Turns need counts, and no lock: nothing of them is exact. */
  private *look(services: readonly string[]): Script<void> {
    if (services.length === 0) return;
    const running = yield* this.store.running.of(this.toCount(services));
    for (const service of services) {
      const settings = this.limits.of(service)!;
      const turns = turnsOf(service, settings, running);
      this.entered.set(service, { settings, running: 0, credit: undefined, now: undefined, turns });
    }
  }

  private toCount(services: readonly string[]) {
    return askedOf(services.map((service) => [service, this.limits.of(service)!] as const));
  }

  private add({ service, credit, at, ...stored }: StoredService, running: Running, now: Date): void {
    const settings = inForce(stored, optionsAt(this.limits.options[service] ?? {}, now));
    const left = settings.rate ? creditAt(settings.rate, { credit, at }, now) : undefined;
    const turns = turnsOf(service, settings, running);
    const found = { settings, running: running.total.get(service) ?? 0, credit: left, now, turns };
    this.entered.set(service, found);
    this.held.delete(service);
    this.noteRate(service, found);
    if (roomOf(found) <= 0 && !settings.paused) this.limits.isFull(service);
  }

  private noteRate(service: string, { settings: { rate }, credit }: Entered): void {
    if (rate && credit !== undefined && credit < START) this.limits.emptied(service, rate, credit);
  }
}

/** Without the counts it is not known yet in this process that turns are taken. */
function turnsOf(service: string, settings: GivenSettings, running: Running): OwnerTurns | undefined {
  const by = turnOf(settings);
  const [owners, groups] = [running.owners.get(service), running.groups.get(service)];
  if (!by || !(by === 'owner' ? owners : groups) || (settings.maxRunningPerOwner !== null && !owners)) return undefined;
  return new OwnerTurns(by, settings, owners ?? new Map(), groups ?? new Map());
}

const roomOf = ({ settings: { maxRunning, paused }, running }: Entered): number =>
  paused ? 0 : maxRunning === null ? Infinity : maxRunning - running;

const startsOf = ({ credit }: Entered): number => (credit === undefined ? Infinity : Math.floor(credit / START));
