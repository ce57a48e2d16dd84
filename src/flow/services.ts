import type { TaskError } from '../contract/errors.js';
import { type Database, reading, transaction } from '../database/database.js';
import { check, invalid } from '../validation/invalid.js';
import { booleanRule, nameRule, textRule, timeOf, timeRule, userIdRule } from '../validation/rules.js';
import type { Pauses } from './pauses.js';
import type { ServiceState, ServiceStore } from './service.store.js';

/** What operators set for a service. undefined leaves a value unchanged, null removes it. */
export interface ServiceSettings {
  /** Claims find no task of the service. Running tasks, due times and callbacks go on. */
  paused?: boolean | undefined;
  /** When the pause ends by itself: a Date, or ISO 8601 text with its zone. */
  pausedUntil?: Date | string | null | undefined;
  /** Why, for other operators. At most 65,535 bytes of UTF-8. */
  note?: string | null | undefined;
}

/** Pauses and resumes services. */
export class Services {
  constructor(
    private readonly database: Database,
    private readonly store: ServiceStore,
    private readonly pauses: Pauses,
  ) {}

  /** Every service that was ever changed, in the order of the names. */
  async list(): Promise<ServiceState[]> {
    return reading(this.database, () => this.store.list());
  }

  /**
   * Changes a service. This process acts on it at once, others within a second. `by` names the operator. A pause
   * without a new `pausedUntil` has no end. INVALID_PARAM.
   */
  async set(service: string, settings: ServiceSettings, by?: string): Promise<ServiceState> {
    check('service', service, nameRule);
    const { paused, pausedUntil, note } = settings;
    if (paused !== undefined) check('paused', paused, booleanRule);
    if (pausedUntil !== undefined && pausedUntil !== null) check('pausedUntil', pausedUntil, timeRule);
    if (note !== undefined && note !== null) check('note', note, textRule);
    if (by !== undefined) check('by', by, userIdRule);
    const until = pausedUntil === null ? null : timeOf(pausedUntil);
    if (until && paused === false) throw needsPause();
    const changes = { paused, pausedUntil: until ?? (paused === undefined ? undefined : null), note, changedBy: by };
    const state = await transaction(this.database, () => this.store.change(service, changes));
    await this.pauses.run();
    return state;
  }
}

const needsPause = (): TaskError =>
  invalid([{ field: 'pausedUntil', rule: 'either', msg: 'pausedUntil needs paused=true; leave it out to resume' }]);
