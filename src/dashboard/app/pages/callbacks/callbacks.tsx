import { useState } from 'preact/hooks';
import type { Callback } from '../../../../protocol/operator.types.js';
import { operator } from '../../api/client.js';
import { usePoll } from '../../api/use-poll.js';
import { actionColumn } from '../../components/action-column.js';
import { Button } from '../../components/button.js';
import { Chip } from '../../components/chip.js';
import { Conditions } from '../../components/conditions.js';
import { ListPage } from '../../components/list-page.js';
import { Empty } from '../../components/state.js';
import type { Column } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { hashOf } from '../../router.js';
import { t } from '../../words/index.js';
import type { PageProps } from '../page.js';
import { CallbackDialog, LOOKS, originOf, triedAs } from './callback-dialog.js';
import { Replay, ReplayAll } from './replay.js';

type State = Callback['state'];
const STATES: readonly State[] = ['pending', 'delivered', 'dead'];
/** Callbacks that are shown at first, and at most. */
const SHOWN = { first: 100, most: 1000 } as const;

/** Callbacks by state and by where they go, newest first; each with its tries. */
export function CallbacksPage({ query }: PageProps) {
  const state = STATES.find((one) => one === query.state);
  const filter = { state, origin: query.origin || undefined, taskId: query.taskId || undefined };
  const [limit, setLimit] = useState<number>(SHOWN.first);
  const key = `callbacks ${JSON.stringify(filter)} ${limit}`;
  const page = usePoll(
    key,
    (signal) => operator.callbacks({ ...filter, limit }, { signal }),
    limit > SHOWN.first ? 10_000 : undefined,
  );
  return (
    <ListPage
      title={t('nav.callbacks')}
      of={page}
      toolbar={
        <Conditions
          query={query}
          name="state"
          label={t('callbacks.state')}
          value={state}
          choices={STATES.map((one) => [one, t(`callbacks.${one}`)])}
          others={{ origin: t('callbacks.origin'), taskId: t('task.id') }}
        >
          <span class="grow" />
          {state === 'dead' && (page.data?.list.length ?? 0) > 0 && (
            <ReplayAll
              filter={{ ...filter, state }}
              found={page.data!.list.length}
              isMore={page.data!.nextCursor !== null}
              onChanged={page.reload}
            />
          )}
        </Conditions>
      }
      columns={columns(state, page.reload)}
      keyOf={({ id }) => id}
      dialog={(callback, onClose) => <CallbackDialog callback={callback} onChanged={page.reload} onClose={onClose} />}
      empty={<Empty title={t('callbacks.none')} text={t('callbacks.none.text')} />}
      foot={({ list, nextCursor }) =>
        nextCursor !== null && (
          <p class="row">
            <span class="quiet">{t('callbacks.newest', { n: list.length })}</span>
            {limit < SHOWN.most && (
              <Button onClick={() => setLimit(SHOWN.most)}>{t('callbacks.more', { n: SHOWN.most })}</Button>
            )}
          </p>
        )
      }
    />
  );
}

const columns = (state: State | undefined, onChanged: () => void): Column<Callback>[] => [
  {
    key: 'state',
    name: t('callbacks.state'),
    cell: ({ state }) => <Chip kind={LOOKS[state]}>{t(`callbacks.${state}`)}</Chip>,
  },
  {
    key: 'origin',
    name: t('callbacks.origin'),
    cell: ({ url }) => <a href={hashOf(['callbacks'], { state, origin: originOf(url) })}>{originOf(url)}</a>,
  },
  {
    key: 'task',
    name: t('task.id'),
    cell: ({ taskId }) => (
      <a class="mono" href={hashOf(['tasks', taskId])}>
        {taskId}
      </a>
    ),
  },
  { key: 'type', name: t('callbacks.type'), cell: ({ type }) => type },
  { key: 'tries', name: t('callbacks.tries'), isNumber: true, cell: ({ attempts }) => attempts },
  {
    key: 'last',
    name: t('callbacks.last'),
    className: 'is-wide',
    cell: ({ tries }) => {
      const last = tries.at(-1);
      return last ? <span title={last.error ?? ''}>{triedAs(last)}</span> : '–';
    },
  },
  { key: 'created', name: t('task.created'), cell: ({ createdAt }) => <Time at={createdAt} /> },
  { key: 'due', name: t('callbacks.due'), cell: ({ dueAt }) => <Time at={dueAt} /> },
  ...actionColumn<Callback>((row) => <Replay callback={row} onChanged={onChanged} />),
];
