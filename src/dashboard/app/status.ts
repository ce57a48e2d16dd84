import type { TaskRole } from '../../protocol/status.js';
import { SETTINGS } from './api/settings.js';
import { t, type Word } from './words/index.js';

/** A status of a task: its name, and the class that gives it one colour in chips, bars and charts. */
export interface StatusLook {
  code: number;
  word: Word | undefined;
  /** The host's name of a status of its own. */
  name: string;
  className: string;
}

const ROLES: Record<TaskRole, readonly [word: Word, className: string]> = {
  INIT: ['status.draft', 'is-draft'],
  WAITING: ['status.waiting', 'is-waiting'],
  BEGIN: ['status.ready', 'is-ready'],
  START: ['status.running', 'is-running'],
  FINISHED: ['status.finished', 'is-finished'],
  ERROR: ['status.failed', 'is-failed'],
  CANCELLED: ['status.cancelled', 'is-cancelled'],
};

/** All statuses, in the order of a task's life, and then those of the host. */
export const STATUSES: readonly StatusLook[] = Object.entries(SETTINGS.status)
  .map(([name, code]) => {
    const [word, className] = ROLES[name as TaskRole] ?? [undefined, 'is-draft'];
    return { code, name, word, className };
  })
  .sort((a, b) => place(a.name) - place(b.name));

function place(name: string): number {
  const index = Object.keys(ROLES).indexOf(name);
  return index < 0 ? 99 : index;
}

export const statusOf = (code: number): StatusLook =>
  STATUSES.find((status) => status.code === code) ?? {
    code,
    name: String(code),
    word: undefined,
    className: 'is-draft',
  };

export const statusName = ({ word, name }: StatusLook): string => (word ? t(word) : name);
/** The host's integer of a role. */
export const codeOf = (role: TaskRole): number => SETTINGS.status[role]!;

const ENDED: readonly TaskRole[] = ['FINISHED', 'ERROR', 'CANCELLED'];
const BEFORE: readonly TaskRole[] = ['INIT', 'WAITING', 'BEGIN'];
export const isEnded = (code: number): boolean => ENDED.some((role) => codeOf(role) === code);
/** A worker holds it. A status of the host's own counts as in progress. */
export const isRunning = (code: number): boolean => !isEnded(code) && !BEFORE.some((role) => codeOf(role) === code);
