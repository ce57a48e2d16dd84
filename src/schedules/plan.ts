import type { Cadence } from './cadence.js';
import type { Definition } from './schedule.js';

/** Seconds by which a task may be late and still be in time. */
const LATE = 60;
/** The most tasks that one look makes up for. The next look continues. */
const MOST = 100;

/** What the plan must know of a schedule that is due. */
export interface DueSchedule {
  definition: Pick<Definition, 'overlap' | 'catchUp' | 'catchUpWindow' | 'jitter'>;
  /** The first time that has not been looked at. null: there is none. */
  nextFor: Date | null;
  /** The time whose task waits for the end of the last task. */
  waitsFor: Date | null;
  /** Whether the last task has not ended. */
  isRunning: boolean;
}

/** What to do about a schedule now. */
export interface Plan {
  /** Times to create tasks for. */
  create: Date[];
  /** The time that is left out, because the last task has not ended. */
  skipped: Date | undefined;
  nextFor: Date | null;
  waitsFor: Date | null;
}

/** What becomes of a schedule that is due at this time. */
export function plan(due: DueSchedule, times: Cadence, now: Date): Plan {
  const { overlap } = due.definition;
  const { reached, nextFor } = reachedTimes(due, times, now);
  const idle: Plan = { create: [], skipped: undefined, nextFor, waitsFor: null };
  if (overlap === 'allow') return { ...idle, create: reached };
  const [first] = due.waitsFor ? [due.waitsFor] : reached;
  if (first === undefined) return idle;
  if (!due.isRunning) return goOn(due, { ...idle, create: [first] }, reached, nextFor);
  if (overlap === 'buffer') return { ...idle, waitsFor: first };
  return { ...idle, skipped: reached.at(-1) };
}

/** One task runs from now on: what is reached beside it waits for it, or is left out. */
function goOn({ definition, waitsFor }: DueSchedule, started: Plan, reached: Date[], nextFor: Date | null): Plan {
  const left = waitsFor ? reached : reached.slice(1);
  if (left.length === 0) return started;
  if (definition.overlap === 'buffer') return { ...started, waitsFor: left[0]!, nextFor };
  return { ...started, skipped: left.at(-1) };
}

/** The times up to now that count, oldest first, and the one after them. */
function reachedTimes(
  { definition, nextFor }: DueSchedule,
  times: Cadence,
  now: Date,
): { reached: Date[]; nextFor: Date | null } {
  if (nextFor === null || nextFor > now) return { reached: [], nextFor };
  const { catchUp, catchUpWindow, jitter } = definition;
  // By its jitter a time is late on purpose.
  const seconds = (catchUp === 'none' ? LATE : catchUpWindow) + jitter;
  const oldest = now.getTime() - seconds * 1000;
  // A millisecond before, so that the time itself counts.
  const from = new Date(Math.max(nextFor.getTime(), oldest) - 1);
  if (catchUp !== 'all') {
    const last = lastUpTo(times, from, now);
    return { reached: last ? [last] : [], nextFor: times.after(now) ?? null };
  }
  const reached: Date[] = [];
  let next = times.after(from);
  while (next && next <= now && reached.length < MOST) {
    reached.push(next);
    next = times.after(next);
  }
  return { reached, nextFor: next ?? null };
}

/** The last time after `from` that is not after `now`. There may be thousands, so it looks ever further back. */
function lastUpTo(times: Cadence, from: Date, now: Date): Date | undefined {
  for (let back = 60_000; ; back *= 4) {
    const start = new Date(Math.max(from.getTime(), now.getTime() - back));
    let found = times.after(start);
    if (found && found <= now) {
      for (let next = times.after(found); next && next <= now; next = times.after(next)) found = next;
      return found;
    }
    if (start <= from) return undefined;
  }
}
