import type {
  OperatorSchedule,
  OperatorScheduleQuery,
  OwnedSchedule,
  Schedule,
  SchedulePage,
  ScheduleQuery,
  ScheduleSettings,
} from '../protocol/schedule.types.js';
import type { OperatorTask } from '../protocol/operator.types.js';
import type { Task } from '../protocol/wire.types.js';
import type { RequestOptions, Transport } from './transport.js';

/** Which schedule: a user's own by its key, any by its owner and key. */
type Which = string | OwnedSchedule;

/** What users and operators do with schedules. A change is only repeated if the queue has surely not received it. */
abstract class Schedules<W extends Which, Shown, Query extends ScheduleQuery, Created> {
  constructor(
    private readonly transport: Transport,
    private readonly path: string,
  ) {}

  /** One schedule, with its next five times. */
  get(which: W, options: RequestOptions = {}): Promise<Shown> {
    return this.send('GET', which, '', {}, options);
  }

  /** In the order of owners and keys. */
  list(query: Partial<Query> = {}, options: RequestOptions = {}): Promise<SchedulePage<Shown>> {
    return this.transport.send({ method: 'GET', path: this.path, query, ...options });
  }

  /** Deletes it. Its tasks stay. */
  remove(which: W, options: RequestOptions = {}): Promise<{ key: string }> {
    return this.send('DELETE', which, '', {}, options);
  }

  /** It creates no tasks until it is resumed. */
  pause(which: W, options: RequestOptions = {}): Promise<Shown> {
    return this.send('POST', which, '/pause', {}, options);
  }

  /** It goes on with its next time. */
  resume(which: W, options: RequestOptions = {}): Promise<Shown> {
    return this.send('POST', which, '/resume', {}, options);
  }

  /** Creates its task now. Its times stay. */
  run(which: W, options: RequestOptions = {}): Promise<Created> {
    return this.send('POST', which, '/run', {}, options);
  }

  protected send<T>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    which: Which,
    verb: string,
    given: object,
    options: RequestOptions,
  ): Promise<T> {
    const { key, ...owner } = typeof which === 'string' ? { key: which } : which;
    const path = `${this.path}/${encodeURIComponent(key)}${verb}`;
    if (method === 'GET') return this.transport.send({ method, path, query: owner, ...options });
    // A PUT may be repeated: the same settings again change nothing.
    return this.transport.send({ method, path, body: { ...owner, ...given }, once: method !== 'PUT', ...options });
  }
}

/** A user's own schedules. */
export class ScheduleClient extends Schedules<string, Schedule, ScheduleQuery, Task> {
  /** Creates one or replaces its settings. The same settings again change nothing. */
  put(key: string, settings: ScheduleSettings, options: RequestOptions = {}): Promise<Schedule> {
    return this.send('PUT', key, '', settings, options);
  }
}

/** The schedules of all owners, for operators. */
export class OperatorScheduleClient extends Schedules<
  OwnedSchedule,
  OperatorSchedule,
  OperatorScheduleQuery,
  OperatorTask
> {}
