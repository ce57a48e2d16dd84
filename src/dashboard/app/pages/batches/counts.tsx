import type { BatchCounts } from '../../../../protocol/batch.types.js';
import { count } from '../../format/number.js';
import { language, t } from '../../words/index.js';

/** What comes last in a task's life comes first, so that the bar fills from the left. */
const ORDER = ['finished', 'failed', 'cancelled', 'running', 'ready', 'waiting'] as const;

const shown = (counts: BatchCounts) => ORDER.filter((name) => counts[name] > 0);

/** The parts of some tasks by their status, as one bar. The numbers beside it say the same. */
export const CountBar = ({ counts, total }: { counts: BatchCounts; total: number }) => (
  <span class="count-bar" aria-hidden="true">
    {shown(counts).map((name) => (
      <span key={name} class={`is-${name}`} style={{ flexGrow: counts[name] / total }} />
    ))}
  </span>
);

export const CountWords = ({ counts }: { counts: BatchCounts }) => (
  <span class="row count-words">
    {shown(counts).map((name) => (
      <span key={name} class={`own is-${name}`}>
        <span class="number">{count(counts[name], language.value)}</span> {t(`status.${name}`)}
      </span>
    ))}
  </span>
);
