import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Failure, failureOf } from './failure.js';
import { type Poll, Polling, type PollState } from './polling.js';
import { signedIn, signOut } from './session.js';

/** Whether the server answers. */
export const connection = signal<PollState>({ failures: 0, message: '', nextAt: 0 });

/** All polls of the page: one request in 2 s, and none while the tab is hidden. */
export const polling = new Polling({
  everyMs: 2000,
  mostMs: 30_000,
  now: () => performance.now(),
  later: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
  goneMessage: (error) => {
    const { kind, message } = failureOf(error);
    return kind === 'gone' ? message : undefined;
  },
  onState: (state) => {
    connection.value = state;
  },
});

const follow = (): void => (document.hidden ? polling.pause() : polling.resume());
document.addEventListener('visibilitychange', follow);
follow();

export interface Polled<T> {
  /** The last answer. It stays while the server is gone. */
  data: T | undefined;
  /** The answer belongs to another key: the one of this key is on its way. */
  isStale: boolean;
  /** What the server has answered instead. A server that is gone is told by `connection`. */
  failure: Failure | undefined;
  /** Asks now, such as after a change. */
  reload(): void;
}

/**
 * Reads something, and again in turns with the other polls of the page. `key` says what is read: another key is read at
 * once. Without `load` nothing is read. `everyMs`: how often, by default every 2 s.
 */
export function usePoll<T>(
  key: string,
  load: ((signal: AbortSignal) => Promise<T>) | undefined,
  everyMs?: number,
): Polled<T> {
  const [state, setState] = useState<{ key: string; data?: T; failure?: Failure }>({ key });
  const newest = useRef(load);
  newest.current = load;
  const poll = useRef<Poll | undefined>(undefined);
  const isOff = load === undefined;
  useEffect(() => {
    if (isOff) return;
    const stop = new AbortController();
    const run = async (): Promise<void> => {
      try {
        const data = await newest.current!(stop.signal);
        if (!stop.signal.aborted) setState({ key, data });
      } catch (error) {
        if (stop.signal.aborted) return;
        const failure = failureOf(error);
        if (failure.kind === 'gone') throw error;
        if (failure.kind === 'refused' && signedIn.value === 'yes') signOut();
        setState((last) => ({ ...last, failure }));
      }
    };
    poll.current = { run, everyMs };
    const remove = polling.add(poll.current);
    return () => {
      remove();
      stop.abort();
    };
  }, [key, isOff, everyMs]);
  return {
    data: state.data,
    isStale: state.key !== key,
    failure: state.failure,
    reload: () => poll.current && polling.now(poll.current),
  };
}
