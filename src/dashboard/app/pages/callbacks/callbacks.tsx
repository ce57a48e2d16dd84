import { useState } from 'preact/hooks';
import type { Callback } from '../../../../protocol/operator.types.js';
import { operator } from '../../api/client.js';
import { mayChange } from '../../api/session.js';
import { usePoll } from '../../api/use-poll.js';
import { Button } from '../../components/button.js';
import { Chip, Choice, FilterChip } from '../../components/chip.js';
import { Empty, Loaded } from '../../components/state.js';
import { type Column, Table } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { setQuery } from '../../location.js';
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
  const [openId, setOpenId] = useState<string | undefined>(undefined);
  const key = `callbacks ${JSON.stringify(filter)} ${limit}`;
  const page = usePoll(
    key,
    (signal) => operator.callbacks({ ...filter, limit }, { signal }),
    limit > SHOWN.first ? 10_000 : undefined,
  );
  const open = page.data?.list.find(({ id }) => id === openId);
  return (
    <>
      <h1>{t('nav.callbacks')}</h1>
      <div class="toolbar">
        <Choice
          label={t('callbacks.state')}
          value={state ?? ''}
          choices={[['', t('common.all')], ...STATES.map((one) => [one, t(`callbacks.${one}`)] as const)]}
          onChoose={(one) => setQuery({ state: one })}
        />
        {(['origin', 'taskId'] as const).map(
          (name) =>
            query[name] && (
              <FilterChip
                key={name}
                name={t(name === 'origin' ? 'callbacks.origin' : 'task.id')}
                value={query[name]}
                onRemove={() => setQuery({ [name]: undefined })}
              />
            ),
        )}
        <span class="grow" />
        {state === 'dead' && (page.data?.list.length ?? 0) > 0 && (
          <ReplayAll
            filter={{ ...filter, state }}
            found={page.data!.list.length}
            isMore={page.data!.nextCursor !== null}
            onChanged={page.reload}
          />
        )}
      </div>
      <Loaded of={page}>
        {({ list, nextCursor }) =>
          list.length === 0 ? (
            <Empty title={t('callbacks.none')}>
              <p>{t('callbacks.none.text')}</p>
            </Empty>
          ) : (
            <>
              <Table
                label={t('nav.callbacks')}
                columns={columns(state, page.reload)}
                rows={list}
                keyOf={({ id }) => id}
                onOpen={({ id }) => setOpenId(id)}
              />
              {nextCursor !== null && (
                <p class="row">
                  <span class="quiet">{t('callbacks.newest', { n: list.length })}</span>
                  {limit < SHOWN.most && (
                    <Button onClick={() => setLimit(SHOWN.most)}>{t('callbacks.more', { n: SHOWN.most })}</Button>
                  )}
                </p>
              )}
            </>
          )
        }
      </Loaded>
      {open && <CallbackDialog callback={open} onChanged={page.reload} onClose={() => setOpenId(undefined)} />}
    </>
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
  ...(mayChange()
    ? [
        {
          key: 'action',
          name: t('table.actions'),
          cell: (row: Callback) => <Replay callback={row} onChanged={onChanged} />,
        },
      ]
    : []),
];
