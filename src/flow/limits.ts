import type { Allowance, Limits, Turns, WaitReason } from '../queue/gates.js';
import type { Script } from '../database/transaction.js';
import { ClaimAllowance, type KnownLimits } from './claim-allowance.js';
import { untilNext } from './credit.js';
import { type Counts, OwnerTurns } from './owner-turns.js';
import { askedOf, type ServiceStore } from './service.store.js';
import { type FlowSettings, type GivenSettings, isCounted, isLimited, type Rate, turnOf } from './settings.js';

/** Whether some owner with ready tasks may start one. */
export type HasRoom = (service: string, turns: Turns) => Script<boolean>;

/** The limits in force in this process. What is shared stands in the tables. */
export class ServiceLimits implements Limits, KnownLimits {
  private settings: ReadonlyMap<string, GivenSettings> = new Map();
  /** When the rate of a service has a start again, by `performance.now()`. */
  private readonly refills = new Map<string, number>();
  /** Services that were found full. */
  private readonly filled = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private wakesAt = Infinity;

  constructor(
    private readonly store: ServiceStore,
    readonly options: Readonly<Record<string, FlowSettings>>,
    /** Called when a rate has a start again. */
    private readonly refilled: () => void,
    private readonly hasRoom: HasRoom,
  ) {}

  get isAny(): boolean {
    return this.settings.size > 0;
  }

  has(service: string): boolean {
    return this.settings.has(service);
  }

  /** The services whose running tasks are counted. */
  get counted(): string[] {
    return [...this.settings].filter(([, settings]) => isCounted(settings)).map(([service]) => service);
  }

  get services(): string[] {
    return [...this.settings.keys()];
  }

  of(service: string): GivenSettings | undefined {
    return this.settings.get(service);
  }

  /** Whether the end of a task may make room for another one. */
  isFreedByEnds(service: string): boolean {
    const { maxRunning = null, maxRunningPerOwner = null } = this.settings.get(service) ?? {};
    return maxRunning !== null || maxRunningPerOwner !== null;
  }

  /** Replaces the limits. Returns whether one has changed. */
  set(settings: ReadonlyMap<string, GivenSettings>): boolean {
    const limited = new Map([...settings].filter(([, given]) => isLimited(given) || turnOf(given) !== undefined));
    const isSame = fingerprint(limited) === fingerprint(this.settings);
    this.settings = limited;
    if (!isSame) this.refills.clear();
    return !isSame;
  }

  open(mayWait: boolean): Allowance {
    return new ClaimAllowance(this, this.store, mayWait);
  }

  *full(services: readonly string[] = this.services): Script<Map<string, WaitReason>> {
    const full = new Map<string, WaitReason>();
    const now = performance.now();
    for (const service of services) if ((this.refills.get(service) ?? 0) > now) full.set(service, 'rate');
    const asked = services.filter((service) => !full.has(service) && this.isFreedByEnds(service));
    const running = yield* this.store.running.of(askedOf(asked.map((name) => [name, this.of(name)!] as const)));
    for (const service of asked) {
      const settings = this.of(service)!;
      const { maxRunning } = settings;
      const owners = running.owners.get(service);
      const isFull = maxRunning !== null && (running.total.get(service) ?? 0) >= maxRunning;
      if (isFull || (owners && !(yield* this.hasRoom(service, cappedTurns(settings, owners)))))
        full.set(service, 'limit');
    }
    for (const [service, reason] of full) if (reason === 'limit') this.isFull(service);
    return full;
  }

  /** The rate has less than one start left: waiting claims look again once it has one. */
  emptied(service: string, rate: Rate, credit: number): void {
    const pause = untilNext(rate, credit);
    const at = performance.now() + pause;
    this.refills.set(service, at);
    if (at >= this.wakesAt) return;
    this.wakesAt = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.wakesAt = Infinity;
      this.refilled();
    }, pause);
    this.timer.unref();
  }

  /** As many of its tasks run as may, as far as can be seen. */
  isFull(service: string): void {
    this.filled.add(service);
  }

  /** The services that were found full since the last call. */
  takeFull(): string[] {
    const full = [...this.filled].filter((service) => this.has(service));
    this.filled.clear();
    return full;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

const cappedTurns = (settings: GivenSettings, owners: Counts): OwnerTurns =>
  new OwnerTurns(turnOf(settings)!, settings, owners, new Map());

const fingerprint = (settings: ReadonlyMap<string, GivenSettings>): string =>
  JSON.stringify(
    [...settings]
      .map(([service, { maxRunning, rate, maxRunningPerOwner, fair }]) =>
        // A function is the option's, which doesn't change.
        [service, maxRunning, rate, typeof maxRunningPerOwner === 'function' ? 'function' : maxRunningPerOwner, fair],
      )
      .sort(),
  );
