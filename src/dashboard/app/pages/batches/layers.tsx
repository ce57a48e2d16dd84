import type { BatchLayer, BatchLayerPage } from '../../../../protocol/batch.types.js';
import type { Polled } from '../../api/use-poll.js';
import { Loaded } from '../../components/state.js';
import { type Column, Table } from '../../components/table.js';
import { count } from '../../format/number.js';
import { setQuery } from '../../location.js';
import { language, t } from '../../words/index.js';
import { CountBar, CountWords } from './counts.js';

/** A graph that is too large to draw: its layers, each with its tasks counted. A click shows the tasks of one. */
export const Layers = ({ page }: { page: Polled<BatchLayerPage> }) => (
  <section>
    <h2>{t('batches.layers')}</h2>
    <p class="quiet">{t('batches.layers.text')}</p>
    <Loaded of={page}>
      {({ list, nextCursor }) => (
        <>
          <Table
            label={t('batches.layers')}
            columns={columns()}
            rows={list}
            keyOf={({ layer }) => String(layer)}
            onOpen={({ layer }) => setQuery({ layer: String(layer), cursor: undefined })}
          />
          {nextCursor !== null && <p class="quiet foot">{t('batches.layers.more')}</p>}
        </>
      )}
    </Loaded>
  </section>
);

const columns = (): Column<BatchLayer>[] => [
  { key: 'layer', name: t('batches.layer'), isNumber: true, cell: ({ layer }) => layer },
  { key: 'total', name: t('batches.total'), isNumber: true, cell: ({ total }) => count(total, language.value) },
  {
    key: 'bar',
    name: t('batches.progress'),
    className: 'is-bar',
    cell: ({ counts, total }) => <CountBar counts={counts} total={total} />,
  },
  {
    key: 'counts',
    name: t('batches.counts'),
    className: 'is-wide',
    cell: ({ counts }) => <CountWords counts={counts} />,
  },
];
