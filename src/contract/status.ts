import { TASK_STATUS, type TaskRole } from '../protocol/status.js';

export { TASK_STATUS, type TaskRole };

/**
 * Role -> stored integer (32 bits, signed). A host's catalogue names every role, and may add its own statuses. These
 * count as in progress, between START and the end.
 */
export type TaskStatusCatalogue = Record<TaskRole, number> & Record<string, number>;

export const TASK_ROLES = Object.keys(TASK_STATUS) as TaskRole[];

/** The host's own statuses: names in the catalogue that are not roles. */
export function customStatuses(status: TaskStatusCatalogue): number[] {
  return Object.entries(status)
    .filter(([name]) => !(TASK_ROLES as string[]).includes(name))
    .map(([, value]) => value);
}

/** The problems of a catalogue, one sentence each. Empty if there are none. */
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
