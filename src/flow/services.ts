import type { TaskError } from '../contract/errors.js';
import { type Database, reading, transaction } from '../database/database.js';
import { type Script } from '../database/transaction.js';
import type { WaitReason } from '../protocol/wire.types.js';
import type { SettingSource } from '../protocol/operator.types.js';
import { check, invalid } from '../validation/invalid.js';
import { nameRule, timeOf, userIdRule } from '../validation/rules.js';
import { creditAt, START } from './credit.js';
import type { ServiceStore, StoredService } from './service.store.js';
import type { SettingsLook } from './settings-look.js';
import {
  FLOW_RULES,
  type FlowSettings,
  inForce,
  LIMITS,
  type LimitName,
  NOTHING,
  optionsAt,
  type Rate,
  rateOf,
} from './settings.js';

/** What operators set for a service. undefined leaves a setting unchanged, null gives it back to the options. */
export type ServiceSettings = { [name in keyof FlowSettings]: FlowSettings[name] | null };

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
  /** Tasks that run and count for `maxRunning`. null: it is not set. */
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
    private readonly options: Readonly<Record<string, FlowSettings>>,
  ) {}

  /** Every service that has settings, or had some, in the order of the names. */
  async list(): Promise<ServiceState[]> {
    return reading(this.database, () => this.states());
  }

  /**
   * Changes a service. This process acts on it at once, others within a second. `by` names the operator. A pause
   * without a new `pausedUntil` has no end. INVALID_PARAM.
   */
  async set(service: string, settings: ServiceSettings, by?: string): Promise<ServiceState> {
    check('service', service, nameRule);
    const { paused, pausedUntil, note, maxRunning, rate } = settings;
    for (const [name, rule] of Object.entries(FLOW_RULES)) {
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
      changedBy: by,
    };
    await transaction(this.database, () => this.store.change(service, changes));
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

  /** The states of all services, or of one. */
  private *states(service?: string): Script<ServiceState[]> {
    const rows = yield* service === undefined ? this.store.list() : this.some(service);
    const now = yield* this.store.now();
    const stored = new Map(rows.map((row) => [row.service, row]));
    const names = service === undefined ? [...new Set([...stored.keys(), ...this.named])].sort() : [service];
    const states = names.map((name) => this.stateOf(name, stored.get(name), now));
    const limited = states.filter(({ maxRunning }) => maxRunning !== null).map((state) => state.service);
    const running = yield* this.store.running(limited);
    return states
      .filter(({ changedAt, sources }) => changedAt !== null || Object.values(sources).some(Boolean))
      .map((state) => {
        const count = state.maxRunning === null ? null : (running.get(state.service) ?? 0);
        return { ...state, running: count, wait: this.waitOf(state, count, stored.get(state.service), now) };
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
    return Object.keys(this.options);
  }

  private stateOf(service: string, row: StoredService | undefined, now: Date): Omit<ServiceState, 'running' | 'wait'> {
    const own = row ?? NOTHING;
    const options = optionsAt(this.options[service] ?? {}, now);
    const { paused, ...rest } = inForce(own, options);
    const sourceOf = (name: LimitName): SettingSource =>
      own[name] === null ? (options[name] === null ? null : 'option') : 'operator';
    return {
      service,
      paused: paused ?? false,
      ...rest,
      sources: Object.fromEntries(LIMITS.map((name) => [name, sourceOf(name)])) as ServiceState['sources'],
      changedBy: row?.changedBy ?? null,
      changedAt: row?.changedAt ?? null,
    };
  }
}

const needsPause = (): TaskError =>
  invalid([{ field: 'pausedUntil', rule: 'either', msg: 'pausedUntil needs paused=true; leave it out to resume' }]);
