import { useState } from 'preact/hooks';
import type { Bulk } from '../../../protocol/operator.types.js';
import { operator } from '../api/client.js';
import { usePoll } from '../api/use-poll.js';
import { actionColumn } from '../components/action-column.js';
import { Button } from '../components/button.js';
import { Chip } from '../components/chip.js';
import { ListPage } from '../components/list-page.js';
import { Progress } from '../components/progress.js';
import { Empty } from '../components/state.js';
import type { Column } from '../components/table.js';
import { Time } from '../components/time.js';
import { count } from '../format/number.js';
import { hashOf } from '../router.js';
import { language, t } from '../words/index.js';
import { ofTotal } from './bulk/job-progress.js';
import { totals } from './bulk/start-bulk.js';
import { stopBulk } from './bulk/stop-bulk.js';
import { shown } from './tasks/filter-bar.js';
import { CONDITIONS, NAMES, queryOf } from './tasks/filter.js';

const LOOKS: Record<Bulk['state'], string> = { running: 'is-running', done: 'is-finished', aborted: 'is-cancelled' };
/** Jobs of one look, and how many more each click adds. */
const PAGE = 50;
const MOST = 1000;

export function BulkPage() {
  const [limit, setLimit] = useState(PAGE);
  const page = usePoll(`bulk ${limit}`, (signal) => operator.listBulks({ limit }, { signal }));
  return (
    <ListPage
      title={t('nav.bulk')}
      of={page}
      columns={columns(page.reload)}
      keyOf={({ bulkId }) => bulkId}
      empty={
        <Empty title={t('bulk.none')} text={t('bulk.none.text')}>
          <p>
            <a href={hashOf(['tasks'])}>{t('nav.tasks')}</a>
          </p>
        </Empty>
      }
      foot={({ nextCursor }) =>
        nextCursor !== null &&
        limit < MOST && (
          <p class="foot">
            <Button onClick={() => setLimit(Math.min(MOST, limit + PAGE))}>{t('bulk.older')}</Button>
          </p>
        )
      }
    />
  );
}

const columns = (onChanged: () => void): Column<Bulk>[] => [
  {
    key: 'state',
    name: t('bulk.state'),
    cell: ({ state }) => <Chip kind={LOOKS[state]}>{t(`bulk.state.${state}`)}</Chip>,
  },
  { key: 'action', name: t('bulk.action'), cell: ({ action }) => t(`bulk.action.${action}`) },
  { key: 'filter', name: t('bulk.filter'), className: 'is-wide', cell: (bulk) => <Filter bulk={bulk} /> },
  { key: 'progress', name: t('bulk.progress'), className: 'is-progress', cell: (bulk) => <Done bulk={bulk} /> },
  { key: 'failed', name: t('bulk.failed'), isNumber: true, cell: ({ failed }) => count(failed, language.value) },
  ...actionColumn<Bulk>((row) => <Stop bulk={row} onChanged={onChanged} />),
  { key: 'by', name: t('bulk.by'), className: 'is-name', cell: ({ requestedBy }) => requestedBy ?? '–' },
  { key: 'created', name: t('bulk.created'), className: 'is-time', cell: ({ createdAt }) => <Time at={createdAt} /> },
  { key: 'ended', name: t('bulk.ended'), className: 'is-time', cell: ({ endedAt }) => <Time at={endedAt} /> },
];

/** The conditions of a job, as a link to the tasks that fit them now. */
function Filter({ bulk: { filter, userId } }: { bulk: Bulk }) {
  const query = queryOf(userId === null ? filter : { ...filter, userId });
  const words = NAMES.filter((name) => name in query).map(
    (name) => `${t(CONDITIONS[name])}: ${shown(name, query[name]!)}`,
  );
  const text = words.join(' · ') || t('bulk.everything');
  return (
    <a href={hashOf(['tasks'], query)} title={text}>
      {text}
    </a>
  );
}

function Done({ bulk }: { bulk: Bulk }) {
  const total = totals.get(bulk.bulkId);
  if (bulk.state !== 'running') return <span class="number">{count(bulk.done, language.value)}</span>;
  if (total === undefined)
    return <span class="number">{t('bulk.soFar', { n: count(bulk.done + bulk.failed, language.value) })}</span>;
  return (
    <span title={ofTotal(bulk, total, true)}>
      <Progress value={bulk.done + bulk.failed} most={total} label={t('bulk.progress')} />
    </span>
  );
}

const Stop = ({ bulk: { bulkId, state }, onChanged }: { bulk: Bulk; onChanged: () => void }) =>
  state === 'running' ? <Button onClick={() => void stopBulk(bulkId).then(onChanged)}>{t('bulk.stop')}</Button> : null;
