import type { Task } from './wire.types.js';

/** The answer to a create. */
export interface CreatedTask extends Task {
  /** The task holds the unique key already. Nothing was created. */
  duplicate?: boolean;
  /** The duplicate got the content of the request. Absent: it is as it was. */
  replaced?: boolean;
}

export interface TaskPage {
  /** Newest first. */
  list: Task[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

export interface Removal {
  deleted: string[];
  /** Tasks that a worker holds, or that do not exist, each with its reason. */
  notDeleted: { taskId: string; code: number; msg: string }[];
}
