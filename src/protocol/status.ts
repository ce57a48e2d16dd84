/**
 * The roles of a task's status, and the integers that `tasks.status` stores for them if the host has not chosen others.
 * INIT to ERROR are legacy; WAITING and CANCELLED are additions. docs/states.md draws the moves.
 */
export const TASK_STATUS = {
  /** A draft: created, and not to be worked yet. */
  INIT: 0,
  /** Not due yet. */
  WAITING: 5,
  /** Ready: claimable now. */
  BEGIN: 10,
  /** A worker has the task. */
  START: 20,
  /** Done. Final. */
  FINISHED: 30,
  /** Failed. */
  ERROR: -10,
  /** Cancelled. */
  CANCELLED: -20,
} as const;

export type TaskRole = keyof typeof TASK_STATUS;

/** Role of a status -> the host's integer. */
export type StatusCodes = Record<TaskRole, number>;
