import type { Callback } from '../../../protocol/operator.types.js';
import { act } from '../api/act.js';
import { operator } from '../api/client.js';
import { mayChange } from '../api/session.js';
import { usePoll } from '../api/use-poll.js';
import { Button } from '../components/button.js';
import { Chip, Choice } from '../components/chip.js';
import { Empty, Loaded } from '../components/state.js';
import { type Column, Table } from '../components/table.js';
import { Time } from '../components/time.js';
import { setQuery } from '../location.js';
import { hashOf } from '../router.js';
import { t } from '../words/index.js';
import type { PageProps } from './page.js';

type State = Callback['state'];
const STATES: readonly State[] = ['pending', 'delivered', 'dead'];
const LOOKS: Record<State, string> = { pending: 'is-waiting', delivered: 'is-finished', dead: 'is-failed' };

export function CallbacksPage({ query }: PageProps) {
  const state = STATES.find((one) => one === query.state);
  const page = usePoll(`callbacks ${state}`, (signal) => operator.callbacks({ state, limit: 200 }, { signal }));
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
      </div>
      <Loaded of={page}>
        {({ list }) =>
          list.length === 0 ? (
            <Empty title={t('callbacks.none')} />
          ) : (
            <Table label={t('nav.callbacks')} columns={columns(page.reload)} rows={list} keyOf={({ id }) => id} />
          )
        }
      </Loaded>
    </>
  );
}

const columns = (onChanged: () => void): Column<Callback>[] => [
  {
    key: 'state',
    name: t('callbacks.state'),
    cell: ({ state }) => <Chip kind={LOOKS[state]}>{t(`callbacks.${state}`)}</Chip>,
  },
  { key: 'url', name: t('callbacks.url'), className: 'is-wide', cell: ({ url }) => url },
  {
    key: 'task',
    name: t('task.id'),
    cell: ({ taskId }) => (
      <a class="mono" href={hashOf(['tasks', taskId])}>
        {taskId}
      </a>
    ),
  },
  { key: 'tries', name: t('callbacks.tries'), isNumber: true, cell: ({ attempts }) => attempts },
  {
    key: 'last',
    name: t('callbacks.last'),
    cell: ({ tries }) => {
      const last = tries.at(-1);
      return last ? <>{last.status ?? last.error}</> : '–';
    },
  },
  { key: 'created', name: t('task.created'), cell: ({ createdAt }) => <Time at={createdAt} /> },
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

function Replay({ callback: { id, state }, onChanged }: { callback: Callback; onChanged: () => void }) {
  const replay = async (): Promise<void> => {
    await act(
      () => operator.replayCallback(id),
      () => t('callbacks.replayed'),
    );
    onChanged();
  };
  return state === 'pending' ? null : <Button onClick={() => void replay()}>{t('callbacks.replay')}</Button>;
}
