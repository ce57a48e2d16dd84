import { TaskError } from '../../contract/errors.js';
import type { Given } from '../../contract/given.js';
import type { Task } from '../../contract/task.entity.js';
import { reading } from '../../database/database.js';
import { answerBytes, exactBytes } from '../answer-bytes.js';
import { spaceOf } from '../answer-room.js';
import { cursorOf, positionOf } from '../cursor.js';
import type { ListQuery } from '../../protocol/wire.types.js';
import { check, invalid } from '../../validation/invalid.js';
import type { Queue } from '../queue.js';
import {
  idsRule,
  isIdLike,
  BOUNDS,
  nameRule,
  pageRule,
  pageSizeRule,
  statusRule,
  userIdRule,
} from '../../validation/rules.js';

/** Which tasks of an owner, and which page of them. */
export type ListOptions = Given<ListQuery> & { userId: string };

export interface TaskList<T extends Task = Task> {
  list: T[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

/** An owner's tasks, newest first, as many as one answer holds. */
export async function list<T extends Task>({ database, lists }: Queue<T>, options: ListOptions): Promise<TaskList<T>> {
  checkOptions(options);
  const { userId, page = 1, pageNum = 10, cursor, service, group, status, ids } = options;
  const space = spaceOf(options);
  space.clear();
  const filter = {
    userId,
    service,
    group,
    status,
    ids: ids?.filter(isIdLike),
    after: cursor === undefined ? undefined : positionOf(cursor),
    offset: (page - 1) * pageNum,
    limit: pageNum,
  };
  // For up to 100 tasks an estimate of the small ones is good enough.
  const bytesOf = !ids && pageNum <= 100 ? answerBytes : exactBytes;
  const refusals: unknown[] = [];
  const take = (task: T): boolean => {
    const refusal = space.hold(task.taskId, bytesOf(task));
    if (refusal) refusals.push(refusal);
    return !refusal;
  };
  const { tasks, next } = await reading(database, () => lists.list(filter, take));
  const [refusal] = refusals;
  if (refusal instanceof TaskError) throw refusal;
  // A client that pages by cursor continues after the last task. Pages by number would skip the tasks that are left
  // out.
  if (refusal && (cursor === undefined || ids)) throw tooLarge(ids ? 'ids' : 'pageNum', tasks.length);
  return { list: tasks, nextCursor: next ? cursorOf(next) : null };
}

function checkOptions({ userId, page, pageNum, cursor, service, group, status, ids }: ListOptions): void {
  check('userId', userId, userIdRule);
  if (page !== undefined) check('page', page, pageRule);
  if (pageNum !== undefined) check('pageNum', pageNum, pageSizeRule);
  if (service !== undefined) check('service', service, nameRule);
  if (group !== undefined) check('group', group, nameRule);
  if (status !== undefined) check('status', status, statusRule);
  if (ids !== undefined) check('ids', ids, idsRule);
  if (cursor !== undefined && page !== undefined)
    throw invalid([{ field: 'page', rule: 'either', msg: 'page and cursor exclude each other; send one of them' }]);
}

function tooLarge(field: 'ids' | 'pageNum', fits: number): TaskError {
  const remedy = field === 'ids' ? 'ask for fewer ids' : `use pageNum=${fits}, and continue with nextCursor`;
  const msg = `${field} asks for more than ${BOUNDS.answerBytes} bytes; only the first ${fits} tasks fit: ${remedy}`;
  return new TaskError('TOO_LARGE', [{ field, rule: 'answerBytes', msg, fits }]);
}
