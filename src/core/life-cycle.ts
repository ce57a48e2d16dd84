import { customStatuses, TASK_ROLES, type TaskRole, type TaskStatusCatalogue } from '../contract/status.js';

/** Where a task is in its life: a role, or a status of the host's own, which counts as in progress. */
export type TaskPhase = TaskRole | 'CUSTOM';

/** Who moves the task: a user (or the host for one), a worker by claim or report, or time. */
export type Mover = 'user' | 'worker' | 'time';

/** One move that the life of a task allows. */
export interface Move {
  /** NEW: the task does not exist yet. */
  from: TaskPhase | 'NEW';
  to: TaskPhase;
  by: Mover;
  /** The status that is asked for, where it is not where the task goes. */
  ask?: TaskPhase;
  /** What brings it about, for docs/states.md. */
  how: string;
}

/** A worker holds the task. */
const HELD: readonly TaskPhase[] = ['START', 'CUSTOM'];
/** The task has ended. */
const ENDED: readonly TaskPhase[] = ['FINISHED', 'ERROR', 'CANCELLED'];

/**
 * Every move between statuses.
 *
 * A worker of the original's form knows no lease, so its late end also counts from BEGIN and ERROR.
 */
export const MOVES: readonly Move[] = [
  { from: 'NEW', to: 'INIT', by: 'user', how: 'POST' },
  { from: 'NEW', to: 'BEGIN', by: 'user', how: 'POST status=BEGIN' },
  { from: 'NEW', to: 'WAITING', by: 'user', how: 'POST runAt', ask: 'BEGIN' },
  { from: 'INIT', to: 'BEGIN', by: 'user', how: 'PUT status=BEGIN' },
  { from: 'WAITING', to: 'BEGIN', by: 'user', how: 'PUT status=BEGIN, now' },
  { from: 'ERROR', to: 'BEGIN', by: 'user', how: 'PUT status=BEGIN, runs again' },
  { from: 'CANCELLED', to: 'BEGIN', by: 'user', how: 'PUT status=BEGIN, runs again' },
  ...(['INIT', 'WAITING', 'BEGIN', ...HELD] as const).map((from): Move => ({
    from,
    to: 'CANCELLED',
    by: 'user',
    how: 'PUT status=CANCELLED',
  })),
  { from: 'WAITING', to: 'BEGIN', by: 'time', how: 'due' },
  { from: 'BEGIN', to: 'START', by: 'worker', how: 'claim' },
  ...HELD.flatMap((from): Move[] => [
    { from, to: 'START', by: 'worker', how: 'report' },
    { from, to: 'CUSTOM', by: 'worker', how: "report of the host's own status" },
    { from, to: 'FINISHED', by: 'worker', how: 'report, the end' },
    { from, to: 'ERROR', by: 'worker', how: 'report, the end, or attempts used up' },
    { from, to: 'WAITING', by: 'worker', how: 'report with retry, backs off', ask: 'ERROR' },
    { from, to: 'BEGIN', by: 'worker', how: 'report, gives the task back' },
    { from, to: 'WAITING', by: 'worker', how: 'report, gives it back a third time in a row', ask: 'BEGIN' },
    { from, to: 'BEGIN', by: 'time', how: 'lease ran out, attempts left' },
    { from, to: 'ERROR', by: 'time', how: 'lease ran out, attempts used up' },
  ]),
  ...(['BEGIN', 'ERROR'] as const).flatMap((from): Move[] => [
    { from, to: 'FINISHED', by: 'worker', how: 'late report without a lease' },
    { from, to: 'ERROR', by: 'worker', how: 'late report without a lease' },
  ]),
];

/** The status that a mover names to bring a move about. */
const asked = ({ ask, to }: Move): TaskPhase => ask ?? to;

/** What may come of a request to change a task. */
export type Verdict = 'move' | 'stay' | 'refuse';

/** The life of a task under one catalogue of statuses: pure rules, no HTTP, no SQL. */
export class LifeCycle {
  private readonly phases: Map<number, TaskPhase>;
  /** Statuses of tasks that have ended. */
  readonly endedStatuses: readonly number[];
  /** Statuses that a user may create a task with. */
  readonly newStatuses: readonly number[];
  /** Statuses that a user may name: a draft's own, too, which moves nothing. */
  readonly userStatuses: readonly number[];
  /** Statuses that a worker may report. */
  readonly workerStatuses: readonly number[];

  constructor(readonly status: TaskStatusCatalogue) {
    this.phases = new Map(customStatuses(status).map((value) => [value, 'CUSTOM' as TaskPhase]));
    for (const role of TASK_ROLES) this.phases.set(status[role], role);
    this.endedStatuses = ENDED.map((role) => status[role as TaskRole]);
    this.newStatuses = this.asked((move) => move.by === 'user' && move.from === 'NEW');
    this.userStatuses = this.asked((move) => move.by === 'user');
    this.workerStatuses = this.asked((move) => move.by === 'worker' && move.from !== 'BEGIN');
  }

  /** A status that no catalogue names was written past us, by a host or by SQL: in progress, like a custom one. */
  phase(status: number): TaskPhase {
    return this.phases.get(status) ?? 'CUSTOM';
  }

  isHeld(status: number): boolean {
    return HELD.includes(this.phase(status));
  }

  isEnded(status: number): boolean {
    return ENDED.includes(this.phase(status));
  }

  /** FINISHED never changes again. */
  isFinal(status: number): boolean {
    return this.phase(status) === 'FINISHED';
  }

  /**
   * Whether no worker has had the task, so that its input may change. Rows of an adopted table tell by their status
   * alone.
   */
  isUntouched({ status, attempts, releases }: { status: number; attempts: number; releases: number }): boolean {
    return attempts + releases === 0 && ['INIT', 'WAITING', 'BEGIN'].includes(this.phase(status));
  }

  /** A user asks for a status. Asking for the one it has changes nothing and is fine. */
  userMove(from: number, to: number): Verdict {
    if (from === to) return 'stay';
    return this.allowed(from, 'user').includes(to) ? 'move' : 'refuse';
  }

  /**
   * A worker reports without a token, with or without a status (without one, the task stays as it is). The end is
   * final: on a finished task every such report is accepted and changes nothing.
   */
  workerMove(from: number, to: number | undefined): Verdict {
    if (this.isFinal(from)) return 'stay';
    if (this.isHeld(from)) return 'move';
    return to !== undefined && this.late(from).includes(to) ? 'move' : 'refuse';
  }

  /** Statuses that this mover may ask for, from where the task is. */
  allowed(from: number, by: 'user' | 'worker'): number[] {
    const phase = this.phase(from);
    const asked =
      by === 'worker' && !this.isHeld(from)
        ? this.late(from)
        : this.asked((move) => move.by === by && move.from === phase);
    return asked.filter((to) => to !== from);
  }

  /** A claim is no report. */
  private late(from: number): number[] {
    const phase = this.phase(from);
    return this.asked((move) => move.by === 'worker' && move.from === phase && move.to !== 'START');
  }

  private asked(fits: (move: Move) => boolean): number[] {
    const phases = new Set(MOVES.filter(fits).map(asked));
    return [...this.phases].filter(([, phase]) => phases.has(phase)).map(([value]) => value);
  }
}
