import { customStatuses, TASK_ROLES, type TaskRole, type TaskStatusCatalogue } from '../contract/status.js';

/** Where a task is in its life: a role, or a status of the host's own, which counts as in progress. */
export type TaskPhase = TaskRole | 'CUSTOM';

/** Who moves the task. */
export type Mover = 'user' | 'worker';

/** One move that the life of a task allows. */
export interface Move {
  from: TaskPhase;
  to: TaskPhase;
  by: Mover;
  /** What brings it about, for docs/states.md. */
  how: string;
}

/** A worker holds the task. */
const HELD: readonly TaskPhase[] = ['START', 'CUSTOM'];

/**
 * Every move between statuses, claims apart (BEGIN to START is the store's, since only it can take atomically).
 *
 * A worker of the original's form knows no lease, so its late end also counts from BEGIN and ERROR.
 */
export const MOVES: readonly Move[] = [
  { from: 'INIT', to: 'BEGIN', by: 'user', how: 'PUT status=BEGIN' },
  { from: 'WAITING', to: 'BEGIN', by: 'user', how: 'PUT status=BEGIN' },
  ...HELD.flatMap((from): Move[] => [
    { from, to: 'START', by: 'worker', how: 'report' },
    { from, to: 'CUSTOM', by: 'worker', how: "report of the host's own status" },
    { from, to: 'BEGIN', by: 'worker', how: 'report, gives the task back' },
    { from, to: 'FINISHED', by: 'worker', how: 'report, the end' },
    { from, to: 'ERROR', by: 'worker', how: 'report, the end' },
  ]),
  ...(['BEGIN', 'ERROR'] as const).flatMap((from): Move[] => [
    { from, to: 'FINISHED', by: 'worker', how: 'late report without a lease' },
    { from, to: 'ERROR', by: 'worker', how: 'late report without a lease' },
  ]),
];

/** What may come of a request to change a task. */
export type Verdict = 'move' | 'stay' | 'refuse';

/** The life of a task under one catalogue of statuses: pure rules, no HTTP, no SQL. */
export class LifeCycle {
  private readonly phases: Map<number, TaskPhase>;

  constructor(readonly status: TaskStatusCatalogue) {
    this.phases = new Map(customStatuses(status).map((value) => [value, 'CUSTOM' as TaskPhase]));
    for (const role of TASK_ROLES) this.phases.set(status[role], role);
  }

  /** A status that no catalogue names was written past us, by a host or by SQL: in progress, like a custom one. */
  phase(status: number): TaskPhase {
    return this.phases.get(status) ?? 'CUSTOM';
  }

  isHeld(status: number): boolean {
    return HELD.includes(this.phase(status));
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

  /** Statuses that a user may set: at creation, or on a draft. */
  get userStatuses(): number[] {
    return [this.status.INIT, this.status.BEGIN];
  }

  /** Statuses that a worker may report. */
  get workerStatuses(): number[] {
    const phases = new Set(MOVES.filter((move) => move.by === 'worker').map((move) => move.to));
    return [...this.phases].filter(([, phase]) => phases.has(phase)).map(([value]) => value);
  }

  /** A user asks for a status. Asking for the one it has changes nothing and is fine. */
  userMove(from: number, to: number): Verdict {
    if (from === to) return 'stay';
    return this.allows(from, to, 'user') ? 'move' : 'refuse';
  }

  /**
   * A worker reports, with or without a status (without one, the task stays as it is). The end is final: on a
   * finished task every report is accepted and changes nothing.
   */
  workerMove(from: number, to: number | undefined): Verdict {
    if (this.isFinal(from)) return 'stay';
    if (to === undefined) return this.isHeld(from) ? 'move' : 'refuse';
    return this.allows(from, to, 'worker') ? 'move' : 'refuse';
  }

  /** Statuses that this mover may bring the task to, from where it is. */
  allowed(from: number, by: Mover): number[] {
    return [...this.phases.keys()].filter((to) => to !== from && this.allows(from, to, by));
  }

  private allows(from: number, to: number, by: Mover): boolean {
    const [source, target] = [this.phase(from), this.phase(to)];
    return MOVES.some((move) => move.from === source && move.to === target && move.by === by);
  }
}
