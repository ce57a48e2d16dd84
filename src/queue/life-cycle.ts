import { customStatuses, TASK_ROLES, type TaskRole, type TaskStatusCatalogue } from '../contract/status.js';

/** Where a task is in its life: a role, or CUSTOM for a status of the host's own, which counts as in progress. */
export type TaskPhase = TaskRole | 'CUSTOM';

/** Who moves the task: a user (or the host for a user), a worker by claim or report, or time. */
export type Mover = 'user' | 'worker' | 'time';

/** One allowed move between statuses. */
export interface Move {
  /** NEW: the task does not exist yet. */
  from: TaskPhase | 'NEW';
  to: TaskPhase;
  by: Mover;
  /** The status that the mover asks for, if the task goes to another one. */
  ask?: TaskPhase;
  /** What causes the move, for docs/states.md. */
  how: string;
}

/** A worker holds the task. */
const HELD: readonly TaskPhase[] = ['START', 'CUSTOM'];
/** The task has ended. */
const ENDED: readonly TaskPhase[] = ['FINISHED', 'ERROR', 'CANCELLED'];

/**
 * Every move between statuses.
 *
 * A legacy worker knows no lease. Its late end therefore also counts from BEGIN and from ERROR.
 */
export const MOVES: readonly Move[] = [
  { from: 'NEW', to: 'INIT', by: 'user', how: 'POST' },
  { from: 'NEW', to: 'BEGIN', by: 'user', how: 'POST status=BEGIN' },
  { from: 'NEW', to: 'WAITING', by: 'user', how: 'POST runAt', ask: 'BEGIN' },
  { from: 'NEW', to: 'WAITING', by: 'user', how: 'POST dependsOn', ask: 'BEGIN' },
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
  { from: 'WAITING', to: 'BEGIN', by: 'time', how: 'the tasks that it depends on have ended' },
  { from: 'WAITING', to: 'ERROR', by: 'time', how: 'a task that it depends on has failed' },
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

/** The status that a mover names to cause a move. */
const asked = ({ ask, to }: Move): TaskPhase => ask ?? to;

/** The possible results of a request to change a task's status. */
export type Verdict = 'move' | 'stay' | 'refuse';

/** The life of a task under one catalogue of statuses: pure rules, without HTTP and SQL. */
export class LifeCycle {
  private readonly phases: Map<number, TaskPhase>;
  /** Statuses of tasks that have ended. */
  readonly endedStatuses: readonly number[];
  /** Statuses of tasks that a worker holds. */
  readonly heldStatuses: readonly number[];
  /** Statuses with which a user may create a task. */
  readonly newStatuses: readonly number[];
  /** Statuses that a user may name. The draft's own is one of them and changes nothing. */
  readonly userStatuses: readonly number[];
  /** Statuses that a worker may report. */
  readonly workerStatuses: readonly number[];

  constructor(readonly status: TaskStatusCatalogue) {
    this.phases = new Map(customStatuses(status).map((value) => [value, 'CUSTOM' as TaskPhase]));
    for (const role of TASK_ROLES) this.phases.set(status[role], role);
    this.endedStatuses = ENDED.map((role) => status[role as TaskRole]);
    this.heldStatuses = [status.START, ...customStatuses(status)];
    this.newStatuses = this.asked((move) => move.by === 'user' && move.from === 'NEW');
    this.userStatuses = this.asked((move) => move.by === 'user');
    this.workerStatuses = this.asked((move) => move.by === 'worker' && move.from !== 'BEGIN');
  }

  /**
   * A host or plain SQL may write a status that the catalogue does not know. It counts as in progress, like a custom
   * one.
   */
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
   * Whether no worker has had the task yet, so that its input may change. In an adopted table the status alone decides.
   */
  isUntouched({ status, attempts, releases }: { status: number; attempts: number; releases: number }): boolean {
    return attempts + releases === 0 && ['INIT', 'WAITING', 'BEGIN'].includes(this.phase(status));
  }

  /** A user asks for a status. Asking for the current one is allowed and changes nothing. */
  userMove(from: number, to: number): Verdict {
    if (from === to) return 'stay';
    return this.allowed(from, 'user').includes(to) ? 'move' : 'refuse';
  }

  /**
   * A worker reports without a token. Without a status the task keeps its own. A finished task accepts every such
   * report and does not change.
   */
  workerMove(from: number, to: number | undefined): Verdict {
    if (this.isFinal(from)) return 'stay';
    if (this.isHeld(from)) return 'move';
    return to !== undefined && this.late(from).includes(to) ? 'move' : 'refuse';
  }

  /** Statuses that this mover may ask for, given the task's status. */
  allowed(from: number, by: 'user' | 'worker'): number[] {
    const phase = this.phase(from);
    const asked =
      by === 'worker' && !this.isHeld(from)
        ? this.late(from)
        : this.asked((move) => move.by === by && move.from === phase);
    return asked.filter((to) => to !== from);
  }

  /** Moves by a late report. A claim is not a report. */
  private late(from: number): number[] {
    const phase = this.phase(from);
    return this.asked((move) => move.by === 'worker' && move.from === phase && move.to !== 'START');
  }

  private asked(fits: (move: Move) => boolean): number[] {
    const phases = new Set(MOVES.filter(fits).map(asked));
    return [...this.phases].filter(([, phase]) => phases.has(phase)).map(([value]) => value);
  }
}
