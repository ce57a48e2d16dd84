import { IsInt, Max, Min } from 'class-validator';
import type { RuleProblem } from '../validation/rule.js';
import { Follows } from '../validation/field.js';
import type { ScheduleSettings } from './schedule.js';

/** A schedule that the host's code has: its owner, and its settings. */
export type CodeSchedule = ScheduleSettings & { userId: string };

/** Options of schedules: plain values, like all of `TaskValues`. */
export class SchedulesValues {
  /**
   * Whether this process creates the tasks of schedules, and users may make some. As an object: key -> `{ userId, cron,
   * task, … }`, schedules of your own, which each start brings up to date; one that is taken out stays in the table, and
   * the start says so. Set the same in all processes. If false, it costs nothing.
   * @defaultValue false
   */
  @Follows(schedulesRule)
  schedules: boolean | Record<string, CodeSchedule> = false;

  /** The most schedules that one user may have. Beyond it: TOO_MANY_TASK. @defaultValue 100 */
  @IsInt()
  @Min(0)
  @Max(100_000)
  maxSchedules: number = 100;

  /** The least seconds between two times of a user's schedule. Your own code is not bound. @defaultValue 60 */
  @IsInt()
  @Min(1)
  @Max(86_400)
  minInterval: number = 60;
}

/** Rule for option `schedules`. Each schedule is checked at the start, as one that comes by the API. */
function schedulesRule(value: unknown): RuleProblem | undefined {
  if (typeof value === 'boolean') return undefined;
  const problem = (msg: string): RuleProblem => ({ rule: 'schedules', msg });
  if (!isRecord(value)) return problem('must be true, false, or an object: key -> { userId, cron, task }');
  const [key] = Object.entries(value).find(([, each]) => !isRecord(each)) ?? [];
  return key === undefined ? undefined : problem(`must have an object { userId, cron, task } for ${key}`);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
