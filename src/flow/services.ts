import type { TaskError } from '../contract/errors.js';
import { type Database, reading, transaction } from '../database/database.js';
import { type Script } from '../database/transaction.js';
import type { WaitReason } from '../protocol/wire.types.js';
import type { SettingSource } from '../protocol/operator.types.js';
import { check, invalid } from '../validation/invalid.js';
import { nameRule, timeOf, userIdRule } from '../validation/rules.js';
import { creditAt, START } from './credit.js';
import type { ServiceLimits } from './limits.js';
import { askedOf, type ServiceChange, type ServiceStore, type StoredService } from './service.store.js';
import type { SettingsLook } from './settings-look.js';
import {
  type Fair,
  type GivenSettings,
  inForce,
  isCounted,
  LIMITS,
  type LimitName,
  NOTHING,
  OPERATOR_RULES,
  type OperatorSettings,
  optionsAt,
  type Rate,
  rateOf,
} from './settings.js';

/** What operators set for a service. undefined leaves a setting unchanged, null gives it back to the options. */
export type ServiceSettings = { [name in keyof OperatorSettings]: OperatorSettings[name] | null };

/** The settings of a service in force, and where they come from. */
export interface ServiceState {
  service: string;
  paused: boolean;
  /** When the pause ends by itself. null: it lasts until somebody ends it. */
  pausedUntil: Date | null;
  /** Why, in the operator's words. */
  note: string | null;
  maxRunning: number | null;
  rate: Rate | null;
  /** null with the source `option`: a function of the host decides. */
  maxRunningPerOwner: number | null;
  fair: Fair;
  /** Tasks that run and are counted, for `maxRunning`, `maxRunningPerOwner` or `fair`. null: none of them is set. */
  running: number | null;
  /** Why claims find no task now, if a pause or a limit is the reason. */
  wait: WaitReason | null;
  sources: Record<LimitName, SettingSource>;
  changedBy: string | null;
  /** null: nobody has changed it, all comes from the options. */
  changedAt: Date | null;
}

/** Settings of services: those of the table win over the options. */
export class Services {
  constructor(
    private readonly database: Database,
    private readonly store: ServiceStore,
    private readonly look: SettingsLook,
    private readonly limits: ServiceLimits,
  ) {}

  /** Every service that has settings, or had some, in the order of the names. */
  async list(): Promise<ServiceState[]> {
    return reading(this.database, () => this.states());
  }

  /** How many tasks of each owner run, in services that count them. */
  async runningByOwner(services: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string | null, number>>> {
    const asked = { total: [], owners: services, groups: [] };
    return (await reading(this.database, () => this.store.running.of(asked))).owners;
  }

  /**
   * Changes a service. This process acts on it at once, others within a second. `by` names the operator. A pause
   * without a new `pausedUntil` has no end. INVALID_PARAM.
   */
  async set(service: string, settings: ServiceSettings, by?: string): Promise<ServiceState> {
    check('service', service, nameRule);
    const { paused, pausedUntil, note, maxRunning, rate, maxRunningPerOwner, fair } = settings;
    for (const [name, rule] of Object.entries(OPERATOR_RULES)) {
      const value = settings[name as keyof ServiceSettings];
      if (value !== undefined && value !== null) check(name, value, rule);
    }
    if (by !== undefined) check('by', by, userIdRule);
    const until = pausedUntil === null ? null : timeOf(pausedUntil);
    if (until && (paused === false || paused === null)) throw needsPause();
    const changes = {
      paused,
      pausedUntil: until ?? (paused === undefined && until === undefined ? undefined : null),
      note,
      maxRunning,
      rate: rate && rateOf(rate),
      maxRunningPerOwner,
      fair,
      changedBy: by,
    };
    await transaction(this.database, () => this.change(service, changes));
    await this.look.run();
    return (await reading(this.database, () => this.states(service)))[0]!;
  }

  /** Pauses a service because a worker says so. */
  async pauseFor(service: string, seconds: number, workerId: string | null): Promise<void> {
    const by = workerId === null ? 'a worker' : `worker ${workerId}`;
    await transaction(this.database, () => this.store.pauseFor(service, seconds, by));
    await this.look.run();
    // A process that obeys no settings must see the end of this one.
    this.look.start();
  }

  private *change(service: string, changes: ServiceChange): Script<void> {
    const { paused, pausedUntil } = changes;
    if (pausedUntil) {
      const now = yield* this.store.now();
      if (pausedUntil <= now) throw isOver(now);
      if (paused === undefined && (yield* this.store.find(service))?.paused !== true) throw needsPause();
    }
    yield* this.store.change(service, changes);
  }

  /** The states of all services, or of one. */
  private *states(service?: string): Script<ServiceState[]> {
    const rows = yield* service === undefined ? this.store.list() : this.some(service);
    const now = yield* this.store.now();
    const stored = new Map(rows.map((row) => [row.service, row]));
    const names = service === undefined ? [...new Set([...stored.keys(), ...this.named])].sort() : [service];
    const states = names.map((name) => this.stateOf(name, stored.get(name), now));
    const counted = states.filter(({ given }) => isCounted(given));
    const running = yield* this.store.running.of(askedOf(counted.map(({ state, given }) => [state.service, given])));
    const capped = counted.filter(({ given }) => given.maxRunningPerOwner !== null).map(({ state }) => state.service);
    // A service that is limited since this moment may not be known yet.
    const full = yield* this.limits.full(capped.filter((name) => this.limits.has(name)));
    return states
      .filter(({ state: { changedAt, sources } }) => changedAt !== null || Object.values(sources).some(Boolean))
      .map(({ state, given }) => {
        const { service } = state;
        const groups = [...(running.groups.get(service)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
        const count = isCounted(given) ? (running.total.get(service) ?? groups) : null;
        const wait = this.waitOf(state, count, stored.get(service), now) ?? full.get(service) ?? null;
        return { ...state, running: count, wait };
      });
  }

  private waitOf(
    { paused, maxRunning, rate }: Omit<ServiceState, 'running' | 'wait'>,
    running: number | null,
    row: StoredService | undefined,
    now: Date,
  ): WaitReason | null {
    if (paused) return 'paused';
    if (maxRunning !== null && running !== null && running >= maxRunning) return 'limit';
    return rate && row && creditAt(rate, row, now) < START ? 'rate' : null;
  }

  private *some(service: string): Script<StoredService[]> {
    const row = yield* this.store.find(service);
    return row ? [row] : [];
  }

  private get named(): string[] {
    return Object.keys(this.limits.options);
  }

  private stateOf(
    service: string,
    row: StoredService | undefined,
    now: Date,
  ): { state: Omit<ServiceState, 'running' | 'wait'>; given: GivenSettings } {
    const own = row ?? NOTHING;
    const options = optionsAt(this.limits.options[service] ?? {}, now);
    const given = inForce(own, options);
    const { paused, pausedUntil, note, maxRunning, rate, maxRunningPerOwner, fair } = given;
    const sourceOf = (name: LimitName): SettingSource =>
      own[name] === null ? (options[name] === null ? null : 'option') : 'operator';
    const state = {
      service,
      paused: paused ?? false,
      pausedUntil,
      note,
      maxRunning,
      rate,
      maxRunningPerOwner: typeof maxRunningPerOwner === 'function' ? null : maxRunningPerOwner,
      fair: fair ?? false,
      sources: Object.fromEntries(LIMITS.map((name) => [name, sourceOf(name)])) as ServiceState['sources'],
      changedBy: row?.changedBy ?? null,
      changedAt: row?.changedAt ?? null,
    };
    return { state, given };
  }
}

const isOver = (now: Date): TaskError => {
  const msg = `pausedUntil must be later than ${now.toISOString()}, the time of the database; send paused=false to resume`;
  return invalid([{ field: 'pausedUntil', rule: 'past', msg }]);
};
const needsPause = (): TaskError =>
  invalid([{ field: 'pausedUntil', rule: 'either', msg: 'pausedUntil needs paused=true; leave it out to resume' }]);
