import { type Signal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { OperatorTaskFilter } from '../../../../protocol/operator.types.js';
import { operator } from '../../api/client.js';
import { failureOf } from '../../api/failure.js';
import { signedIn, signOut, token } from '../../api/session.js';
import { polling } from '../../api/use-poll.js';
import type { TablePlace } from '../../components/table.js';
import { queryOf } from './filter.js';
import { EMPTY, type FeedState, TaskFeed } from './feed.js';

/** A list with the place of its reader. */
export interface Opened {
  feed: TaskFeed;
  state: Signal<FeedState>;
  place: TablePlace;
  /** Asks now. */
  reload(): void;
}

interface Kept extends Opened {
  key: string;
  filter: OperatorTaskFilter;
  poll: { run(): Promise<void> };
}

/** The last list: who comes back from a task finds it as it was. */
let kept: Kept | undefined;

/** The conditions of the last list, for the way back from a task. */
export const lastQuery = (): Record<string, string> => queryOf(kept?.filter ?? {});

/** The tasks of a filter, which is read in turns with the other polls of the page. */
export function useFeed(filter: OperatorTaskFilter): Opened {
  const key = JSON.stringify([token.value, filter]);
  const opened = useMemo(() => {
    kept = kept?.key === key ? kept : open(key, filter);
    return kept;
  }, [key]);
  useEffect(() => {
    const remove = polling.add(opened.poll);
    return () => {
      remove();
      opened.feed.stop();
    };
  }, [opened]);
  return opened;
}

function open(key: string, filter: OperatorTaskFilter): Kept {
  const state = signal(EMPTY);
  const feed = new TaskFeed({
    filter,
    read: (query) => operator.list(query),
    now: () => performance.now(),
    onChange: (changed) => {
      state.value = changed;
    },
  });
  const poll = {
    async run() {
      try {
        await feed.run();
      } catch (error) {
        const failure = failureOf(error);
        if (failure.kind === 'gone') throw error;
        if (failure.kind === 'refused' && signedIn.value === 'yes') signOut();
        feed.fail(failure);
      }
    },
  };
  return { key, filter, feed, state, poll, place: { top: 0, active: undefined }, reload: () => polling.now(poll) };
}
