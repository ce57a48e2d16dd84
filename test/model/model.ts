/**
 * The life of a task as the design has it, written a second time and knowing nothing of the code: what each command
 * answers, and what it makes of the task.
 */
export interface ModelTask {
  status: number;
  attempts: number;
  releases: number;
  maxAttempts: number;
  /** The token of the last claim, as its worker knows it; undefined where nobody claimed it yet. */
  token: string | undefined;
  /** Whether that token is the row's still. */
  current: boolean;
  /** Whether the last claim demands its token. */
  fenced: boolean;
  leased: boolean;
  temp: string | null;
  hasError: boolean;
  ended: boolean;
}

export const STATUS = {
  INIT: 0,
  WAITING: 5,
  BEGIN: 10,
  START: 20,
  UPLOADING: 25,
  FINISHED: 30,
  ERROR: -10,
  CANCELLED: -20,
};
const { INIT, WAITING, BEGIN, START, UPLOADING, FINISHED, ERROR, CANCELLED } = STATUS;

export type Outcome = 'ok' | 'none' | 'LEASE_LOST' | 'INVALID_STATE' | 'kept';

const isHeld = (task: ModelTask): boolean => task.status === START || task.status === UPLOADING;

export const newTask = (status: number, maxAttempts: number | undefined): ModelTask => ({
  status,
  attempts: 0,
  releases: 0,
  maxAttempts: maxAttempts ?? 3,
  token: undefined,
  current: true,
  fenced: false,
  leased: false,
  temp: null,
  hasError: false,
  ended: false,
});

export function userMoves(task: ModelTask, to: number): Outcome {
  if (task.status === to) return 'ok';
  if (to === CANCELLED && (isHeld(task) || [INIT, WAITING, BEGIN].includes(task.status))) {
    Object.assign(task, { status: CANCELLED, leased: false, ended: true });
    return 'ok';
  }
  if (to === BEGIN && [INIT, WAITING].includes(task.status)) {
    task.status = BEGIN;
    return 'ok';
  }
  if (to === BEGIN && [ERROR, CANCELLED].includes(task.status)) {
    Object.assign(task, { status: BEGIN, attempts: 0, releases: 0, hasError: false, ended: false });
    return 'ok';
  }
  return 'INVALID_STATE';
}

export const userEdits = (task: ModelTask): Outcome =>
  task.attempts + task.releases === 0 && [INIT, WAITING, BEGIN].includes(task.status) ? 'ok' : 'INVALID_STATE';

export const userDeletes = (task: ModelTask): Outcome => (isHeld(task) ? 'kept' : 'ok');

export function workerClaims(task: ModelTask, legacy: boolean): Outcome {
  if (task.status !== BEGIN) return 'none';
  Object.assign(task, { status: START, attempts: task.attempts + 1, leased: true, fenced: !legacy, current: true });
  return 'ok';
}

export interface ModelReport {
  token: 'right' | 'wrong' | 'none';
  status: number | undefined;
  retry: boolean;
  delay: number | undefined;
  temp: string | undefined;
}

export function workerReports(task: ModelTask, report: ModelReport): Outcome {
  const { status, retry } = report;
  if (report.token !== 'none') {
    if (report.token === 'wrong' || task.token === undefined || !task.current) return 'LEASE_LOST';
    if (!isHeld(task)) return repeats(task, status, retry) ? 'ok' : 'LEASE_LOST';
  } else if (task.status === FINISHED) return 'ok';
  else if (task.fenced) return 'LEASE_LOST';
  else if (!isHeld(task)) {
    const late = [FINISHED, ERROR].includes(status!) && [BEGIN, ERROR].includes(task.status);
    if (!late) return 'INVALID_STATE';
    if (retry) return 'ok';
  }
  apply(task, report);
  return 'ok';
}

function repeats(task: ModelTask, status: number | undefined, retry: boolean): boolean {
  if (status === FINISHED) return task.status === FINISHED;
  if (status === ERROR) return task.status === ERROR || (retry && [WAITING, BEGIN].includes(task.status));
  return status === BEGIN && [WAITING, BEGIN].includes(task.status);
}

function apply(task: ModelTask, { status, retry, delay, temp }: ModelReport): void {
  if (temp !== undefined) task.temp = temp;
  const rest = (pause: boolean): number => (pause ? WAITING : BEGIN);
  if (status === FINISHED) Object.assign(task, { status, leased: false, ended: true, hasError: false });
  else if (status === ERROR && retry && task.attempts < task.maxAttempts)
    Object.assign(task, { status: rest(delay !== 0), leased: false, releases: 0 });
  else if (status === ERROR) Object.assign(task, { status, leased: false, ended: true });
  else if (status === BEGIN) {
    const releases = task.releases + 1;
    const pause = delay === undefined ? releases >= 3 : delay > 0;
    Object.assign(task, { status: rest(pause), leased: false, releases, attempts: Math.max(0, task.attempts - 1) });
  } else {
    task.status = status ?? task.status;
    task.leased = true;
  }
}

/** The lease runs out, and the sweeper comes by. */
export function lapses(task: ModelTask): void {
  if (!task.leased) return;
  task.leased = false;
  if (!isHeld(task)) return;
  if (task.fenced) task.current = false;
  if (task.attempts < task.maxAttempts) Object.assign(task, { status: BEGIN, releases: 0 });
  else Object.assign(task, { status: ERROR, ended: true, hasError: true });
}

/** What it waits for has come, and the sweeper comes by. */
export function comesDue(task: ModelTask): void {
  if (task.status === WAITING) task.status = BEGIN;
}
