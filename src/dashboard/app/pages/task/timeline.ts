import type { OperatorTask, OperatorTaskDetail } from '../../../../protocol/operator.types.js';
import type { TaskRole } from '../../../../protocol/status.js';

/** Something that happened to a task, or happens now. */
export interface Moment {
  kind: 'created' | 'ready' | 'due' | 'started' | 'failed' | 'leaseExpired' | 'released' | 'running' | 'ended';
  at: string;
  attempt?: number;
  workerId?: string | null;
  error?: string | null;
  /** Milliseconds of the attempt. */
  ms?: number | undefined;
}

type CodeOf = (role: TaskRole) => number;

const between = (from: string | null, to: string | null): number | undefined =>
  from === null || to === null ? undefined : Math.max(0, Date.parse(to) - Date.parse(from));

/** The life of a task as far as the queue remembers it, oldest first; last comes what is now. */
export function timelineOf(
  { task, attempts }: Pick<OperatorTaskDetail, 'task' | 'attempts'>,
  codeOf: CodeOf,
): Moment[] {
  const past: Moment[] = [];
  if (task.createdAt !== null) past.push({ kind: 'created', at: task.createdAt });
  if (task.runAt !== null && task.status !== codeOf('WAITING')) past.push({ kind: 'ready', at: task.runAt });
  for (const { attempt, workerId, startedAt, endedAt, outcome, error } of attempts)
    past.push({ kind: outcome, at: endedAt, attempt, workerId, error, ms: between(startedAt, endedAt) });
  past.sort((a, b) => a.at.localeCompare(b.at));
  return [...past, ...nowOf(task, attempts, codeOf)];
}

function nowOf(task: OperatorTask, attempts: OperatorTaskDetail['attempts'], codeOf: CodeOf): Moment[] {
  const { status, startedAt, finishedAt, workerId, attempt } = task;
  const isOf = (...roles: TaskRole[]): boolean => roles.some((role) => codeOf(role) === status);
  if (isOf('WAITING')) return task.runAt === null ? [] : [{ kind: 'due', at: task.runAt }];
  if (isOf('INIT', 'BEGIN')) return [];
  // The last attempt stands among the others if it failed.
  const isTold = attempts.some((one) => one.startedAt === startedAt || one.endedAt === finishedAt);
  const hasRun = startedAt !== null && attempt > 0 && !isTold;
  if (!isOf('FINISHED', 'ERROR', 'CANCELLED'))
    return startedAt === null ? [] : [{ kind: 'running', at: startedAt, attempt, workerId }];
  const started: Moment[] = hasRun ? [{ kind: 'started', at: startedAt, attempt, workerId }] : [];
  const ms = hasRun ? between(startedAt, finishedAt) : undefined;
  return finishedAt === null ? started : [...started, { kind: 'ended', at: finishedAt, ms }];
}
