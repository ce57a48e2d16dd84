import type { Bulk } from '../../../protocol/operator.types.js';
import { act } from '../api/act.js';
import { operator } from '../api/client.js';
import { mayChange } from '../api/session.js';
import { usePoll } from '../api/use-poll.js';
import { Button } from '../components/button.js';
import { Chip } from '../components/chip.js';
import { ask } from '../components/dialog.js';
import { Empty, Loaded } from '../components/state.js';
import { type Column, Table } from '../components/table.js';
import { Time } from '../components/time.js';
import { count } from '../format/number.js';
import { language, t } from '../words/index.js';

const LOOKS: Record<Bulk['state'], string> = { running: 'is-running', done: 'is-finished', aborted: 'is-cancelled' };

export function BulkPage() {
  const page = usePoll('bulk', (signal) => operator.listBulks({ limit: 200 }, { signal }));
  return (
    <>
      <h1>{t('nav.bulk')}</h1>
      <Loaded of={page}>
        {({ list }) =>
          list.length === 0 ? (
            <Empty title={t('bulk.none')} />
          ) : (
            <Table label={t('nav.bulk')} columns={columns(page.reload)} rows={list} keyOf={({ bulkId }) => bulkId} />
          )
        }
      </Loaded>
    </>
  );
}

const columns = (onChanged: () => void): Column<Bulk>[] => [
  { key: 'action', name: t('bulk.action'), cell: ({ action }) => t(`bulk.action.${action}`) },
  {
    key: 'state',
    name: t('bulk.state'),
    cell: ({ state }) => <Chip kind={LOOKS[state]}>{t(`bulk.state.${state}`)}</Chip>,
  },
  {
    key: 'done',
    name: t('bulk.progress'),
    isNumber: true,
    cell: ({ done, matched }) => `${count(done, language.value)} / ${count(matched, language.value)}`,
  },
  { key: 'failed', name: t('bulk.failed'), isNumber: true, cell: ({ failed }) => count(failed, language.value) },
  { key: 'by', name: t('bulk.by'), cell: ({ requestedBy }) => requestedBy ?? '–' },
  { key: 'created', name: t('task.created'), cell: ({ createdAt }) => <Time at={createdAt} /> },
  ...(mayChange()
    ? [{ key: 'stop', name: t('table.actions'), cell: (row: Bulk) => <Stop bulk={row} onChanged={onChanged} /> }]
    : []),
];

function Stop({ bulk: { bulkId, state }, onChanged }: { bulk: Bulk; onChanged: () => void }) {
  const stop = async (): Promise<void> => {
    const question = { title: t('bulk.stop.ask'), text: t('bulk.stop.text'), action: t('bulk.stop'), isDanger: true };
    if (!(await ask(question))) return;
    await act(
      () => operator.bulks.abort(bulkId),
      () => t('bulk.stopped'),
    );
    onChanged();
  };
  return state === 'running' ? <Button onClick={() => void stop()}>{t('bulk.stop')}</Button> : null;
}
