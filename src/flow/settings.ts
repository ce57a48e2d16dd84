import type { Fair, Rate } from '../protocol/operator.types.js';
import type { Turn } from '../database/dialects/dialect.js';
import { type Rule, valueRule } from '../validation/rule.js';
import { booleanRule, BOUNDS, integer, textRule, timeOf, timeRule } from '../validation/rules.js';

export type { Fair, Rate } from '../protocol/operator.types.js';

/** A rate as it may be given. */
export type RateOptions = Omit<Rate, 'burst'> & Partial<Pick<Rate, 'burst'>>;

/** How the tasks of a service flow. */
export interface FlowSettings {
  /** Claims find no task of the service. Running tasks, due times and callbacks go on. */
  paused?: boolean | undefined;
  /** When the pause ends by itself: a Date, or ISO 8601 text with its zone. */
  pausedUntil?: Date | string | undefined;
  /** Why it is as it is, for other operators. At most 65,535 bytes of UTF-8. */
  note?: string | undefined;
  /** The most tasks that run at once, over all processes: 1 to 100,000. */
  maxRunning?: number | undefined;
  /**
   * At most `max` starts in `per` seconds on average. Up to `burst` of them, by default `max`, may come at once after a
   * quiet time, so that no window sees more than `burst + max * window / per`.
   */
  rate?: RateOptions | undefined;
  /**
   * The most tasks of one owner that run at once, over all processes: 1 to 100,000, or in code a function of the owner
   * (undefined: no limit; 0: none starts). Owners then take turns, as with `fair: true`.
   */
  maxRunningPerOwner?: number | OwnerLimit | undefined;
  /**
   * Owners take turns, or with `'group'` groups do: of the next eight with ready tasks, the one of whom the fewest run.
   * Within an owner the oldest task comes first, and a more urgent priority comes before all. @defaultValue false
   */
  fair?: Fair | undefined;
  /**
   * Only in code, for `fair`: what runs is divided by it. With 3 an owner gets three times the places of one with 1,
   * the default. Called with the owner, or with `fair: 'group'` with the group, `''` for tasks without one. A result
   * that is not above 0 counts as 1.
   */
  weight?: Weight | undefined;
}

export type OwnerLimit = (userId: string) => number | undefined;
export type Weight = (ownerOrGroup: string) => number;

/** The settings that only code can give. */
export type OperatorSettings = Omit<FlowSettings, 'maxRunningPerOwner' | 'weight'> & {
  maxRunningPerOwner?: number | undefined;
};

/** The settings that limit claims. Each has its own source. */
export const LIMITS = ['paused', 'maxRunning', 'rate', 'maxRunningPerOwner', 'fair'] as const;
export type LimitName = (typeof LIMITS)[number];

const { rateMax, ratePer, rateBurst } = BOUNDS;
const RATE_FIELDS = { max: integer(1, rateMax), per: integer(1, ratePer), burst: integer(1, rateBurst) };

export const maxRunningRule = integer(1, BOUNDS.maxRunning);
const isFair: Rule = (value) =>
  typeof value === 'boolean' || value === 'group' ? undefined : { rule: 'fair', msg: "must be true, false or 'group'" };
export const fairRule = valueRule(isFair, { oneOf: [{ type: 'boolean' }, { type: 'string', enum: ['group'] }] });
const ownerLimitRule: Rule = (value) => (typeof value === 'function' ? undefined : maxRunningRule(value));
const weightRule: Rule = (value) =>
  typeof value === 'function' ? undefined : { rule: 'weight', msg: 'must be a function of the owner or group' };
const isRate: Rule = (value) => {
  const fields = Object.keys(RATE_FIELDS).join(', ');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { rule: 'rate', msg: `must be an object { ${fields} }` };
  const given = value as Record<string, unknown>;
  const stranger = Object.keys(given).find((name) => !Object.hasOwn(RATE_FIELDS, name));
  if (stranger !== undefined) return { rule: 'rate', msg: `has no ${stranger}; it has ${fields}` };
  for (const [name, rule] of Object.entries(RATE_FIELDS)) {
    if (given[name] === undefined && name === 'burst') continue;
    const problem = rule(given[name]);
    if (problem) return { rule: 'rate', msg: `must have ${name}, which ${problem.msg}` };
  }
  return undefined;
};
export const rateRule = valueRule(isRate, {
  type: 'object',
  properties: {
    max: { ...RATE_FIELDS.max.schema, description: 'Starts in a period.' },
    per: { ...RATE_FIELDS.per.schema, description: 'Seconds of a period.' },
    burst: { ...RATE_FIELDS.burst.schema, description: 'Starts at once after a quiet time, by default `max`.' },
  },
  required: ['max', 'per'],
});

export const rateOf = ({ max, per, burst = max }: RateOptions): Rate => ({ max, per, burst });

/** The rule of each setting that operators set. */
export const OPERATOR_RULES: Record<keyof OperatorSettings, Rule> = {
  paused: booleanRule,
  pausedUntil: timeRule,
  note: textRule,
  maxRunning: maxRunningRule,
  rate: rateRule,
  maxRunningPerOwner: maxRunningRule,
  fair: fairRule,
};

/** The rule of each setting in the option `services`. */
export const FLOW_RULES: Record<keyof FlowSettings, Rule> = {
  ...OPERATOR_RULES,
  maxRunningPerOwner: ownerLimitRule,
  weight: weightRule,
};

/** The settings of one service from one source. null: this source says nothing of it. */
export interface GivenSettings {
  paused: boolean | null;
  pausedUntil: Date | null;
  note: string | null;
  maxRunning: number | null;
  rate: Rate | null;
  maxRunningPerOwner: number | OwnerLimit | null;
  fair: Fair | null;
  weight: Weight | null;
}

export const NOTHING: GivenSettings = {
  paused: null,
  pausedUntil: null,
  note: null,
  maxRunning: null,
  rate: null,
  maxRunningPerOwner: null,
  fair: null,
  weight: null,
};

/** What the options say of a service at a time of the database's clock. A pause that is over says nothing. */
export function optionsAt(given: FlowSettings, now: Date): GivenSettings {
  const { paused, pausedUntil, note, maxRunning, rate, maxRunningPerOwner, fair, weight } = given;
  const until = timeOf(pausedUntil) ?? null;
  const isOver = until !== null && until <= now;
  return {
    paused: isOver ? null : (paused ?? null),
    pausedUntil: isOver ? null : until,
    note: note ?? null,
    maxRunning: maxRunning ?? null,
    rate: rate ? rateOf(rate) : null,
    maxRunningPerOwner: maxRunningPerOwner ?? null,
    fair: fair ?? null,
    weight: weight ?? null,
  };
}

/** The settings in force: those of the table win over the options. */
export function inForce(stored: GivenSettings, options: GivenSettings): GivenSettings {
  const pause = stored.paused === null ? options : stored;
  return {
    paused: pause.paused,
    pausedUntil: pause.paused ? pause.pausedUntil : null,
    note: stored.note ?? options.note,
    maxRunning: stored.maxRunning ?? options.maxRunning,
    rate: stored.rate ?? options.rate,
    maxRunningPerOwner: stored.maxRunningPerOwner ?? options.maxRunningPerOwner,
    fair: stored.fair ?? options.fair,
    weight: options.weight,
  };
}

/** Whether claims must lock the row of the service, because what they may start is exact. */
export const isLimited = ({ maxRunning, rate, maxRunningPerOwner }: GivenSettings): boolean =>
  maxRunning !== null || rate !== null || maxRunningPerOwner !== null;

/** Who takes turns. undefined: nobody. Owners with a limit of their own always do, unless groups do. */
export const turnOf = ({ fair, maxRunningPerOwner }: GivenSettings): Turn | undefined =>
  fair === 'group' ? 'group' : fair === true || maxRunningPerOwner !== null ? 'owner' : undefined;

/** Whether the running tasks are counted, and so are marked. */
export const isCounted = (settings: GivenSettings): boolean =>
  settings.maxRunning !== null || turnOf(settings) !== undefined;
