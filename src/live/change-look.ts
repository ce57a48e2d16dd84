import type { Task } from '../contract/task.entity.js';
import type { Job } from '../polling/poller.js';
import type { WatchedRow, WatchedTask } from './watched-task.js';
import { stateOf } from './state.js';
import type { WatchList } from './watch-list.js';

/** The most tasks of one look. */
const TASKS = 5000;
/** The most owners of one statement: MariaDB plans a list of 1,000 or more as a join. */
const OWNERS = 999;
/** Tasks that are read at once. */
const BATCH = 32;
/** Seconds by which a look overlaps with the one before, for transactions that were under way. */
const OVERLAP = 5;

/** How the look reads, and whom it tells. */
export interface LookSource {
  /** The states of these tasks, and of those that the owners created in the last `seconds`. */
  look(ids: string[], owners: string[], seconds: number): Promise<WatchedRow[]>;
  read(ids: string[]): Promise<Map<string, Task>>;
  show(task: Task): void;
}

/**
 * Finds what other processes and plain SQL have committed: one statement reads the states of everything that is watched
 * here. Only tasks whose state differs are then read whole.
 */
export class ChangeLook implements Job {
  readonly name = 'looking for changes of watched tasks';
  /** A change is found within 700 ms. */
  readonly interval = { shortest: 700, longest: 700 };
  private since = 0;

  constructor(
    private readonly list: WatchList,
    private readonly source: LookSource,
  ) {}

  /** Looks begin now: streams have read what was there before. */
  begin(): void {
    this.since = performance.now();
  }

  async run(isOver: () => boolean): Promise<boolean> {
    const now = performance.now();
    const picked = this.list.pick(TASKS);
    const rows = await this.rowsOf(picked, Math.ceil((now - this.since) / 1000) + OVERLAP);
    this.since = now;
    const known = new Map(rows.map((row) => [row.taskId, row]));
    const isStale = ({ taskId, state }: WatchedTask): boolean => {
      const row = known.get(taskId);
      return !row || stateOf(row) !== state;
    };
    const stale = picked.filter(isStale).map(({ taskId }) => taskId);
    const fresh = [...known.values()].filter((row) => this.isNew(row)).map(({ taskId }) => taskId);
    const changed = [...stale, ...fresh];
    for (let from = 0; from < changed.length && !isOver(); from += BATCH)
      await this.tell(changed.slice(from, from + BATCH));
    return changed.length > 0;
  }

  private async rowsOf(picked: WatchedTask[], seconds: number): Promise<WatchedRow[]> {
    const { owners } = this.list;
    const ids = picked.map(({ taskId }) => taskId);
    const rows = await this.source.look(ids, owners.slice(0, OWNERS), seconds);
    for (let from = OWNERS; from < owners.length; from += OWNERS)
      rows.push(...(await this.source.look([], owners.slice(from, from + OWNERS), seconds)));
    return rows;
  }

  private isNew(row: WatchedRow): boolean {
    const created = row.createdAt?.getTime() ?? 0;
    return this.list.takersOf(row).some((stream) => created > stream.floor);
  }

  /** A task that this process has changed during the read is left to that change. */
  private async tell(ids: string[]): Promise<void> {
    const changesOf = (taskId: string): number | undefined => this.list.get(taskId)?.changes;
    const before = ids.map(changesOf);
    const tasks = await this.source.read(ids);
    for (const [place, taskId] of ids.entries()) {
      if (changesOf(taskId) !== before[place]) continue;
      const task = tasks.get(taskId);
      if (task) this.source.show(task);
      else this.list.remove(taskId);
    }
  }
}
