import type { Batch, BatchState, EndedCounts } from '../../../../protocol/batch.types.js';
import { Chip } from '../../components/chip.js';
import { Progress } from '../../components/progress.js';
import { t } from '../../words/index.js';

export const STATES: readonly BatchState[] = ['open', 'running', 'finished', 'failed', 'cancelled'];

const LOOKS: Record<BatchState, string> = {
  open: 'is-waiting',
  running: 'is-running',
  finished: 'is-finished',
  failed: 'is-failed',
  cancelled: 'is-cancelled',
};

export const StateChip = ({ state }: { state: BatchState }) => (
  <Chip kind={LOOKS[state]}>{t(`batches.state.${state}`)}</Chip>
);

/** How many of its tasks have ended. It has the colour of the worst that has happened. */
export function BatchProgress({ batch: { state, total, counts } }: { batch: Batch<EndedCounts> }) {
  const { finished, failed, cancelled } = counts;
  const ended = finished + failed + cancelled;
  const isEmpty = total === 0 && state !== 'open';
  return (
    <Progress
      value={isEmpty ? 1 : ended}
      most={isEmpty ? 1 : total}
      label={t('batches.progress')}
      className={failed > 0 ? 'is-failed' : LOOKS[state]}
    />
  );
}
