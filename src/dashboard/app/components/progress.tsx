import { percent } from '../format/number.js';
import { language } from '../words/index.js';

interface ProgressProps {
  value: number;
  most: number;
  label: string;
  /** The class of a status, for its colour. */
  className?: string;
}

export const Progress = ({ value, most, label, className = 'is-running' }: ProgressProps) => {
  const part = most > 0 ? Math.min(1, Math.max(0, value / most)) : 0;
  const shown = percent(part, 1, language.value);
  return (
    <span
      class={`progress ${className}`}
      role="progressbar"
      aria-label={label}
      aria-valuenow={Math.round(part * 100)}
      aria-valuetext={shown}
    >
      <span class="progress-track">
        <span class="progress-bar" style={{ width: `${part * 100}%` }} />
      </span>
      <span class="number">{shown}</span>
    </span>
  );
};
