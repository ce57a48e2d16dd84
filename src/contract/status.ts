/**
 * The roles that a task's status can play, and the integers that `tasks.status` stores for them.
 * INIT to ERROR are the original's; WAITING and CANCELLED are additions. docs/states.md draws the moves.
 */
export const TASK_STATUS = {
  /** A draft: created, not yet to be worked. */
  INIT: 0,
  /** Not due yet. */
  WAITING: 5,
  /** Ready: claimable now. */
  BEGIN: 10,
  /** A worker has it. */
  START: 20,
  /** Done. Final. */
  FINISHED: 30,
  /** Failed. */
  ERROR: -10,
  /** Called off. */
  CANCELLED: -20,
} as const;

export type TaskRole = keyof typeof TASK_STATUS;

/**
 * Role -> stored integer (32 bits, signed). A host's catalogue names every role, and may add statuses of its own:
 * those count as in progress, between START and the end.
 */
export type TaskStatusCatalogue = Record<TaskRole, number> & Record<string, number>;

export const TASK_ROLES = Object.keys(TASK_STATUS) as TaskRole[];

/** The host's own statuses: what the catalogue names beyond the roles. */
export function customStatuses(status: TaskStatusCatalogue): number[] {
  return Object.entries(status)
    .filter(([name]) => !(TASK_ROLES as string[]).includes(name))
    .map(([, value]) => value);
}

/** What is wrong with a catalogue, one sentence a problem; empty when it is sound. */
export function statusProblems(status: Record<string, unknown>): string[] {
  const problems = TASK_ROLES.filter((role) => status[role] === undefined).map(
    (role) => `role ${role} is missing (its default is ${TASK_STATUS[role]})`,
  );
  const nameOf = new Map<unknown, string>();
  for (const [name, value] of Object.entries(status)) {
    if (value === undefined) continue;
    if (!Number.isInteger(value) || Math.abs(value as number) > 2 ** 31 - 1)
      problems.push(`${name} must be a 32-bit integer, not ${JSON.stringify(value)}`);
    const other = nameOf.get(value);
    if (other !== undefined) problems.push(`${other} and ${name} are both ${String(value)}`);
    nameOf.set(value, name);
  }
  return problems;
}
