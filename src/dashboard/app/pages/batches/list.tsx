import type { EndedCounts, OperatorBatch } from '../../../../protocol/batch.types.js';
import { operator } from '../../api/client.js';
import { OwnedList } from '../../components/owned-list.js';
import { Empty } from '../../components/state.js';
import type { Column } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { count } from '../../format/number.js';
import { go } from '../../location.js';
import { hashOf } from '../../router.js';
import { language, t } from '../../words/index.js';
import { BatchProgress, StateChip, STATES } from './batch-state.js';

type Row = OperatorBatch<EndedCounts>;

/** The batches of all owners, newest first. */
export const BatchList = ({ query }: { query: Readonly<Record<string, string>> }) => (
  <div class="batches">
    <OwnedList
      title={t('nav.batches')}
      query={query}
      client={operator.batches}
      states={{
        label: t('batches.state'),
        choices: STATES.map((one) => [one, t(`batches.state.${one}`)]),
      }}
      columns={columns}
      keyOf={({ batchId }) => batchId}
      onOpen={({ batchId }) => go(['batches', batchId])}
      empty={<Empty title={t('batches.none')} text={t('batches.none.text')} />}
      noneSuch={t('batches.noneSuch')}
    />
  </div>
);

const columns = (): Column<Row>[] => [
  {
    key: 'state',
    name: t('batches.state'),
    className: 'is-status',
    cell: ({ state }) => <StateChip state={state} />,
  },
  {
    key: 'id',
    name: t('batches.id'),
    className: 'is-id',
    cell: ({ batchId }) => (
      <a class="mono" href={hashOf(['batches', batchId])} title={batchId}>
        <bdi>{batchId}</bdi>
      </a>
    ),
  },
  {
    key: 'progress',
    name: t('batches.progress'),
    className: 'is-progress',
    cell: (batch) => <BatchProgress batch={batch} />,
  },
  { key: 'total', name: t('batches.total'), isNumber: true, cell: ({ total }) => count(total, language.value) },
  {
    key: 'failed',
    name: t('status.failed'),
    isNumber: true,
    cell: ({ counts }) =>
      counts.failed > 0 ? (
        <strong class="own is-failed">{count(counts.failed, language.value)}</strong>
      ) : (
        <span class="quiet">0</span>
      ),
  },
  {
    key: 'owner',
    name: t('task.owner'),
    className: 'is-name',
    cell: ({ userId }) => <a href={hashOf(['batches'], { userId })}>{userId}</a>,
  },
  { key: 'created', name: t('task.created'), className: 'is-time', cell: ({ createdAt }) => <Time at={createdAt} /> },
  { key: 'ended', name: t('batches.ended'), className: 'is-time', cell: ({ endedAt }) => <Time at={endedAt} /> },
];
