import { useEffect, useState } from 'preact/hooks';
import type { BatchMember, OperatorBatch } from '../../../../protocol/batch.types.js';
import { operator } from '../../api/client.js';
import { usePoll } from '../../api/use-poll.js';
import { CopyButton } from '../../components/copy.js';
import { Empty, Loaded } from '../../components/state.js';
import { hashOf } from '../../router.js';
import { t } from '../../words/index.js';
import { BatchActions } from './actions.js';
import { BatchProgress, StateChip } from './batch-state.js';
import { BatchFacts } from './facts.js';
import { Graph } from './graph.js';
import { Layers } from './layers.js';
import { Tasks } from './tasks.js';

/** Tasks up to which the graph is drawn, and all of them are read. */
const DRAWN = 200;
/** Tasks of a page, and layers that are shown. */
const SHOWN = 100;
/** Milliseconds between two reads of a batch that has ended: a failed task may be run again. */
const SELDOM = 60_000;

interface BatchPageProps {
  id: string;
  query: Readonly<Record<string, string>>;
}

export function BatchPage({ id, query }: BatchPageProps) {
  const [isOver, setOver] = useState(false);
  const everyMs = isOver ? SELDOM : undefined;
  const batch = usePoll(`batch ${id}`, (signal) => operator.batches.get(id, { signal }), everyMs);
  const isMissing = batch.failure?.httpStatus === 404;
  useEffect(
    () => setOver(isMissing || (batch.data !== undefined && batch.data.endedAt !== null)),
    [batch.data, isMissing],
  );
  return (
    <div class="task batches">
      <h1 class="row">
        <a href={hashOf(['batches'])} aria-label={t('batches.back')}>
          ←
        </a>
        <span class="mono">{id}</span> <CopyButton text={id} />
      </h1>
      {isMissing ? (
        <Empty title={t('batches.missing')} text={t('batches.missing.text')} />
      ) : (
        <Loaded of={batch} rows={8}>
          {(found) => (
            <>
              <div class="row">
                <StateChip state={found.state} />
                <BatchProgress batch={found} />
                <span class="grow" />
                <BatchActions batch={found} onChanged={batch.reload} />
              </div>
              <BatchFacts batch={found} />
              {found.total > DRAWN ? (
                <Large batch={found} query={query} everyMs={everyMs} />
              ) : (
                <Small batch={found} query={query} everyMs={everyMs} />
              )}
            </>
          )}
        </Loaded>
      )}
    </div>
  );
}

interface PartProps {
  batch: OperatorBatch;
  query: Readonly<Record<string, string>>;
  everyMs: number | undefined;
}

/** All tasks are read at once, and drawn if some wait for others. */
function Small({ batch: { batchId, total }, query, everyMs }: PartProps) {
  const limit = Math.max(1, total);
  const page = usePoll(
    `tasks of ${batchId} ${limit}`,
    (signal) => operator.batches.tasks(batchId, { limit }, { signal }),
    everyMs,
  );
  const fits = ({ status, layer }: BatchMember): boolean =>
    (!query.status || String(status) === query.status) && (!query.layer || String(layer) === query.layer);
  if (total === 0) return null;
  return (
    <Loaded of={page}>
      {({ list }) => (
        <>
          {list.some(({ dependsOn }) => dependsOn.length > 0) && <Graph tasks={list} />}
          <Tasks tasks={list.filter(fits)} nextCursor={null} query={query} />
        </>
      )}
    </Loaded>
  );
}

/** The layers are counted, and the tasks are read page by page. */
function Large({ batch: { batchId }, query, everyMs }: PartProps) {
  const { status, layer, cursor } = query;
  const layers = usePoll(
    `layers of ${batchId}`,
    (signal) => operator.batches.layers(batchId, { limit: SHOWN }, { signal }),
    everyMs,
  );
  const page = usePoll(
    `tasks of ${batchId} ${JSON.stringify([status, layer, cursor])}`,
    (signal) =>
      operator.batches.tasks(
        batchId,
        {
          limit: SHOWN,
          ...(status && { status: Number(status) }),
          ...(layer && { layer: Number(layer) }),
          ...(cursor && { cursor }),
        },
        { signal },
      ),
    everyMs,
  );
  return (
    <>
      <Layers page={layers} />
      <Loaded of={page}>
        {({ list, nextCursor }) => <Tasks tasks={list} nextCursor={nextCursor} query={query} />}
      </Loaded>
    </>
  );
}
