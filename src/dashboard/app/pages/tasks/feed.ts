import type {
  OperatorListQuery,
  OperatorTask,
  OperatorTaskFilter,
  OperatorTaskPage,
} from '../../../../protocol/operator.types.js';
import { type Failure, failureOf } from '../../api/failure.js';
import { isClosed } from './filter.js';

/** What the table has of a task. Its texts stay at the server, so that 100,000 rows fit into memory. */
export interface TaskRow
  extends
    Pick<OperatorTask, 'taskId' | 'status' | 'service' | 'group' | 'progress' | 'userId' | 'workerId'>,
    Pick<OperatorTask, 'attempt' | 'priority' | 'error' | 'createdAt'> {
  /** It has been deleted since. */
  isGone?: boolean;
}

export interface FeedState {
  rows: readonly TaskRow[];
  /** The first answer is there. */
  isLoaded: boolean;
  /** Rows further down are being read. */
  isReading: boolean;
  /** `more`: scrolling reads on. `bounded`: the search stopped early, and the reader decides. `end`: that is all. */
  end: 'more' | 'bounded' | 'end';
  /** The time of creation to which the search came. */
  searchedTo: string | null;
  /** Why the last look failed, and why rows further down could not be read. */
  failure: Failure | undefined;
  moreFailure: Failure | undefined;
  /** Tasks that fit and are not shown yet. */
  fresh: number;
  /** There are more of them than were counted. */
  isFreshAtLeast: boolean;
}

export interface FeedOptions {
  filter: OperatorTaskFilter;
  read(query: OperatorListQuery): Promise<OperatorTaskPage>;
  /** Milliseconds. */
  now(): number;
  onChange(state: FeedState): void;
}

/** Rows of the first look, and of a look for new ones. */
const FIRST = 100;
/** The most rows of one look further down. They become more the further the reader scrolls. */
const MOST = 1000;
/** A search that found this many fills the screen: scrolling may go on with it. */
const SCREENFUL = 30;
/** The part of the time that looks for new tasks may take: a search of many rows is made seldom. */
const SHARE = 10;
/** Characters of an error that the table has room for. */
const ERROR = 300;
/** The most searches in a row until one finds something. */
const SEARCHES = 40;

export const EMPTY: FeedState = {
  rows: [],
  isLoaded: false,
  isReading: false,
  end: 'more',
  searchedTo: null,
  failure: undefined,
  moreFailure: undefined,
  fresh: 0,
  isFreshAtLeast: false,
};

/** Tasks that fit a filter, newest first: what has been read, what is new, and what has changed of what is in sight. */
export class TaskFeed {
  state: FeedState = EMPTY;
  private cursor: string | null = null;
  private size = FIRST;
  private inSight: readonly string[] = [];
  private newest: OperatorTaskPage | undefined;
  private newestAt = 0;
  private isNewestNext = false;
  private isStopped = false;

  constructor(private readonly options: FeedOptions) {}

  /** One look: the first rows, what is new, or what has changed. Throws if it fails. */
  async run(): Promise<void> {
    if (!this.state.isLoaded) this.restart(await this.read(FIRST));
    else if (this.isNewestNext && this.mayLookForNew()) await this.lookForNew();
    else if (this.inSight.length > 0) await this.refresh();
    else if (this.mayLookForNew()) await this.lookForNew();
    if (this.state.failure) this.set({ failure: undefined });
  }

  /** The rows in sight: only these are asked for again. */
  see(rows: readonly TaskRow[]): void {
    this.inSight = rows.map(({ taskId }) => taskId);
  }

  /** Reads rows further down. `isAsked`: also where a search ended early, until something is found. */
  async more(isAsked = false): Promise<void> {
    const { isReading, isLoaded, end, moreFailure } = this.state;
    if (isReading || !isLoaded || end === 'end' || (!isAsked && (end === 'bounded' || moreFailure))) return;
    this.isStopped = false;
    this.set({ isReading: true, moreFailure: undefined });
    try {
      for (let search = 0; search < SEARCHES && !this.isStopped; search++) {
        this.size = Math.min(MOST, this.size * 2);
        const page = await this.read(this.size, this.cursor ?? undefined);
        this.append(page);
        if (page.list.length > 0 || page.nextCursor === null || !isAsked) break;
      }
      this.set({ isReading: false });
    } catch (error) {
      this.set({ isReading: false, moreFailure: failureOf(error) });
    }
  }

  /** Ends a search that goes on until it finds something. */
  stop(): void {
    this.isStopped = true;
  }

  /** Puts what is new in its place, and takes out what no longer fits there. */
  showNew(): void {
    const page = this.newest;
    if (!page) return;
    const ids = new Set(page.list.map(({ taskId }) => taskId));
    const { rows } = this.state;
    const shared = rows.reduce((last, { taskId }, index) => (ids.has(taskId) ? index : last), -1);
    if (shared < 0 || page.nextCursor === null) this.restart(page);
    else this.set({ rows: [...page.list.map(rowOf), ...rows.slice(shared + 1)], fresh: 0 });
  }

  fail(failure: Failure): void {
    this.set({ failure });
  }

  private mayLookForNew(): boolean {
    return this.options.now() >= this.newestAt && !isClosed(this.options.filter, Date.now());
  }

  private async lookForNew(): Promise<void> {
    const { now } = this.options;
    const start = now();
    const page = await this.read(FIRST);
    this.newestAt = now() + (now() - start) * SHARE;
    const seen = new Map(page.list.map((task) => [task.taskId, task]));
    this.isNewestNext = this.inSight.every((id) => seen.has(id));
    if (this.state.rows.length === 0) {
      // Who searches on further down does not begin again for nothing.
      if (page.list.length > 0) this.restart(page);
      return;
    }
    const known = new Set<string>();
    const rows = this.state.rows.map((row) => {
      const task = seen.get(row.taskId);
      if (task) known.add(row.taskId);
      return task ? rowOf(task) : row;
    });
    this.newest = page;
    const fresh = page.list.length - known.size;
    this.set({ rows, fresh, isFreshAtLeast: known.size === 0 && page.nextCursor !== null });
  }

  private async refresh(): Promise<void> {
    this.isNewestNext = true;
    const ids = [...this.inSight];
    const page = await this.options.read({ ids, pageNum: ids.length });
    const seen = new Map(page.list.map((task) => [task.taskId, task]));
    const asked = new Set(page.nextCursor === null ? ids : []);
    const rows = this.state.rows.map((row) => {
      const task = seen.get(row.taskId);
      if (task) return rowOf(task);
      return asked.has(row.taskId) && !row.isGone ? { ...row, isGone: true } : row;
    });
    this.set({ rows });
  }

  private restart(page: OperatorTaskPage): void {
    this.size = FIRST;
    this.newest = undefined;
    this.set({ rows: [], fresh: 0, isLoaded: true, moreFailure: undefined });
    this.append(page);
  }

  private append({ list, nextCursor, searchedTo }: OperatorTaskPage): void {
    this.cursor = nextCursor;
    const end = nextCursor === null ? 'end' : list.length >= SCREENFUL ? 'more' : 'bounded';
    this.set({ rows: [...this.state.rows, ...list.map(rowOf)], end, searchedTo });
  }

  private read(pageNum: number, cursor?: string): Promise<OperatorTaskPage> {
    return this.options.read({ ...this.options.filter, pageNum, ...(cursor === undefined ? {} : { cursor }) });
  }

  private set(changes: Partial<FeedState>): void {
    this.state = { ...this.state, ...changes };
    this.options.onChange(this.state);
  }
}

const rowOf = (task: OperatorTask): TaskRow => ({
  taskId: task.taskId,
  status: task.status,
  service: task.service,
  group: task.group,
  progress: task.progress,
  userId: task.userId,
  workerId: task.workerId,
  attempt: task.attempt,
  priority: task.priority,
  error: task.error === null ? null : task.error.slice(0, ERROR),
  createdAt: task.createdAt,
});
