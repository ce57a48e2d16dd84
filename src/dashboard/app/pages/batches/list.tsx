import type { EndedCounts, OperatorBatch } from '../../../../protocol/batch.types.js';
import { operator } from '../../api/client.js';
import { usePoll } from '../../api/use-poll.js';
import { Choice, FilterChip } from '../../components/chip.js';
import { Pages } from '../../components/pages.js';
import { Empty, Loaded } from '../../components/state.js';
import { type Column, Table } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { count } from '../../format/number.js';
import { go, setQuery } from '../../location.js';
import { hashOf } from '../../router.js';
import { language, t } from '../../words/index.js';
import { BatchProgress, StateChip, STATES } from './batch-state.js';

/** Batches of a page. */
const SHOWN = 100;

type Row = OperatorBatch<EndedCounts>;

/** The batches of all owners, newest first. */
export function BatchList({ query }: { query: Readonly<Record<string, string>> }) {
  const state = STATES.find((one) => one === query.state);
  const { userId, cursor } = query;
  const page = usePoll(`batches ${JSON.stringify([state, userId, cursor])}`, (signal) =>
    operator.batches.list(
      { limit: SHOWN, ...(state && { state }), ...(userId && { userId }), ...(cursor && { cursor }) },
      { signal },
    ),
  );
  return (
    <div class="batches">
      <h1>{t('nav.batches')}</h1>
      <div class="toolbar">
        <Choice
          label={t('batches.state')}
          value={state ?? ''}
          choices={[['', t('common.all')], ...STATES.map((one) => [one, t(`batches.state.${one}`)] as const)]}
          onChoose={(one) => setQuery({ state: one, cursor: undefined })}
        />
        {userId && (
          <FilterChip
            name={t('task.owner')}
            value={userId}
            onRemove={() => setQuery({ userId: undefined, cursor: undefined })}
          />
        )}
      </div>
      <Loaded of={page}>
        {({ list, nextCursor }) => (
          <>
            {list.length === 0 && nextCursor === null && !state && !userId ? (
              <Empty title={t('batches.none')}>
                <p>{t('batches.none.text')}</p>
              </Empty>
            ) : (
              <Table
                label={t('nav.batches')}
                columns={columns()}
                rows={list}
                keyOf={({ batchId }) => batchId}
                onOpen={({ batchId }) => go(['batches', batchId])}
              />
            )}
            {list.length === 0 && (state || userId) && <p class="quiet">{t('batches.noneSuch')}</p>}
            <Pages cursor={cursor} nextCursor={nextCursor} />
          </>
        )}
      </Loaded>
    </div>
  );
}

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
