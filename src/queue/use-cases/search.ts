import { TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import { reading } from '../../database/database.js';
import { check, invalid } from '../../validation/invalid.js';
import {
  batchIdRule,
  errorBeginRule,
  idsRule,
  isIdLike,
  nameRule,
  pageSizeRule,
  scheduleKeyRule,
  statusRule,
  timeOf,
  timeRule,
  userIdRule,
  workerIdRule,
} from '../../validation/rules.js';
import { answerBytes } from '../answer-bytes.js';
import { spaceOf } from '../answer-room.js';
import { cursorOf, positionOf } from '../cursor.js';
import { timeOfId } from '../ids.js';
import type { Queue } from '../queue.js';
import type { Position } from '../stores/list.store.js';
import type { SearchFilter } from '../stores/search.store.js';

/** A filter as callers give it: times as Date, or as ISO 8601 text with its zone. */
export interface TaskFilterOptions extends Omit<SearchFilter, 'createdFrom' | 'createdTo'> {
  createdFrom?: Date | string | undefined;
  createdTo?: Date | string | undefined;
}

export interface SearchOptions extends TaskFilterOptions {
  /** The most tasks of one answer, 1 to 10,000, by default 50. */
  pageNum?: number | undefined;
  /** The `nextCursor` of the answer before. */
  cursor?: string | undefined;
}

export interface SearchResult<T extends Task = Task> {
  /** Newest first. May be empty although there are more: see `nextCursor`. */
  list: T[];
  /** Continues the search. null: it has reached the end. */
  nextCursor: string | null;
  /** The time of creation to which the search has come. null: it has reached the end. */
  searchedTo: Date | null;
}

/** Rows that one statement walks over: all of them are read, however few are looked for. */
const WINDOW = { least: 200, most: 10_000 } as const;
/** The most rows that one search walks over, and one count. */
const ROWS = { search: 50_000, count: 100_000 } as const;

/** Tasks of all owners. Ends after a bounded number of rows, and says how far it came. INVALID_PARAM. */
export async function search<T extends Task>(queue: Queue<T>, options: SearchOptions): Promise<SearchResult<T>> {
  const { pageNum = 50, cursor } = options;
  if (options.pageNum !== undefined) check('pageNum', options.pageNum, pageSizeRule);
  const filter = filterOf(options);
  let after = cursor === undefined ? undefined : positionOf(cursor);
  const found: Position[] = [];
  let isEnd = false;
  let size = firstWindow(pageNum);
  for (let rows = 0; rows < ROWS.search && found.length < pageNum && !isEnd; rows += size) {
    if (rows > 0) size = Math.min(nextWindow(size, false), ROWS.search - rows);
    const [walked, limit] = [size, pageNum - found.length];
    const window = await reading(queue.database, () => queue.search.window(filter, after, walked, limit));
    found.push(...window.found);
    after = window.isFull ? found.at(-1)! : window.end;
    isEnd = after === undefined;
  }
  return resultOf(queue, options, found, after);
}

/** Rows of the first window, where this many tasks are looked for. */
export const firstWindow = (limit: number): number => Math.min(Math.max(WINDOW.least, limit + 1), WINDOW.most);

/** Rows of the next window: fewer while the windows are full of what fits, and more while they are not. */
export const nextWindow = (size: number, isFull: boolean): number =>
  isFull ? Math.max(WINDOW.least, Math.ceil(size / 2)) : Math.min(size * 5, WINDOW.most);

/** How many tasks fit, as far as a bounded number of rows tells. */
export interface SearchCount {
  count: number;
  /** All rows were counted. Otherwise there may be more. */
  isExact: boolean;
}

export async function countFound<T extends Task>(queue: Queue<T>, filter: SearchFilter): Promise<SearchCount> {
  let after: Position | undefined;
  let count = 0;
  for (let rows = 0; rows < ROWS.count; rows += WINDOW.most) {
    const window = await reading(queue.database, () => queue.search.count(filter, after, WINDOW.most));
    count += window.count;
    after = window.end;
    if (!after) return { count, isExact: true };
  }
  return { count, isExact: false };
}

/** The tasks at these places, as many as one answer holds. */
async function resultOf<T extends Task>(
  { database, tasks }: Queue<T>,
  options: SearchOptions,
  found: Position[],
  after: Position | undefined,
): Promise<SearchResult<T>> {
  const space = spaceOf(options);
  space.clear();
  const list: T[] = [];
  const refusals: unknown[] = [];
  const take = (task: T): boolean => {
    const refusal = space.hold(task.taskId, answerBytes(task));
    if (refusal) refusals.push(refusal);
    else list.push(task);
    return !refusal;
  };
  const ids = found.map(({ taskId }) => taskId);
  await reading(database, () => tasks.each(ids, take));
  const [refusal] = refusals;
  if (refusal instanceof TaskError) throw refusal;
  const end = refusal ? found.find(({ taskId }) => taskId === list.at(-1)!.taskId) : after;
  if (!end) return { list, nextCursor: null, searchedTo: null };
  // The last task of a window may have been deleted.
  const [last] = await reading(database, () => tasks.findAll([end.taskId]));
  return { list, nextCursor: cursorOf(end), searchedTo: last?.createdAt ?? timeOfId(end.taskId) ?? null };
}

/** The filter, checked. INVALID_PARAM. */
export function filterOf(options: TaskFilterOptions): SearchFilter {
  const { status, service, group, userId, workerId, scheduleKey, batchId, error, ids, createdFrom, createdTo } =
    options;
  if (status !== undefined) check('status', status, statusRule);
  if (service !== undefined) check('service', service, nameRule);
  if (group !== undefined) check('group', group, nameRule);
  if (userId !== undefined) check('userId', userId, userIdRule);
  if (workerId !== undefined) check('workerId', workerId, workerIdRule);
  if (scheduleKey !== undefined) check('scheduleKey', scheduleKey, scheduleKeyRule);
  if (batchId !== undefined) check('batchId', batchId, batchIdRule);
  if (error !== undefined) check('error', error, errorBeginRule);
  if (ids !== undefined) check('ids', ids, idsRule);
  if (createdFrom !== undefined) check('createdFrom', createdFrom, timeRule);
  if (createdTo !== undefined) check('createdTo', createdTo, timeRule);
  const filter: SearchFilter = {
    status,
    service,
    group,
    userId,
    workerId,
    scheduleKey,
    batchId,
    error,
    ids: ids?.filter(isIdLike),
    createdFrom: timeOf(createdFrom),
    createdTo: timeOf(createdTo),
  };
  const { createdFrom: from, createdTo: to } = filter;
  if (from && to && from >= to)
    throw invalid([{ field: 'createdTo', rule: 'after', msg: 'createdTo must be later than createdFrom' }]);
  return filter;
}
