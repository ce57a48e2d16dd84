import type { TaskErrorCatalogue } from '../contract/errors.js';
import type { Removal } from '../queue/use-cases/remove.js';

/** What was deleted, and what was not, with the code and text of the reason. */
export interface RemovalJson {
  deleted: string[];
  notDeleted: { taskId: string; code: number; msg: string }[];
}

export const removalJson = ({ deleted, notDeleted }: Removal, errors: TaskErrorCatalogue): RemovalJson => ({
  deleted,
  notDeleted: notDeleted.map(({ taskId, reason: { errorName } }) => {
    const { code, msg } = errors[errorName]!;
    return { taskId, code, msg };
  }),
});
