import type { ComponentChildren } from 'preact';
import { connection, type Polled, polling } from '../api/use-poll.js';
import { textOf } from '../api/act.js';
import type { Failure } from '../api/failure.js';
import { t } from '../words/index.js';
import { Button } from './button.js';

/** What stands where something will be: it takes the room of it, so that nothing jumps. */
export const Skeleton = ({ rows = 3 }: { rows?: number }) => (
  <div class="skeleton" role="status" aria-label={t('common.loading')}>
    {Array.from({ length: rows }, (_, row) => (
      <div key={row} class="skeleton-row" />
    ))}
  </div>
);

interface EmptyProps {
  title: string;
  text?: string;
  children?: ComponentChildren;
}

/** Nothing is there: it says what would be, or how to begin. */
export const Empty = ({ title, text, children }: EmptyProps) => (
  <div class="empty">
    <h2>{title}</h2>
    {text && <p>{text}</p>}
    {children}
  </div>
);

/** What the server said in place of an answer, where it happened. */
export const Failed = ({ failure, onRetry }: { failure: Failure; onRetry: () => void }) => (
  <div class="notice is-bad" role="alert">
    <strong>{t('error.title')}</strong>
    <span>{textOf(failure)}</span>
    <Button onClick={onRetry}>{t('error.retry')}</Button>
  </div>
);

/** Says that the server is gone, and that the page tries again by itself. Stands once in the app. */
export function Gone() {
  const { failures, message } = connection.value;
  if (failures === 0) return null;
  return (
    <div class="notice is-warning" role="alert">
      <strong>{t('gone.title')}</strong>
      <span>
        {t('gone.since')} {message}
      </span>
      <Button onClick={() => polling.retry()}>{t('error.retry')}</Button>
    </div>
  );
}

interface LoadedProps<T> {
  of: Polled<T>;
  children: (data: T) => ComponentChildren;
  rows?: number;
}

/** What was read, a skeleton before the first answer, and the failure above it. */
export const Loaded = <T,>({ of: { data, failure, reload }, children, rows }: LoadedProps<T>) => (
  <>
    {failure && failure.kind !== 'refused' && <Failed failure={failure} onRetry={reload} />}
    {data === undefined ? !failure && <Skeleton rows={rows ?? 3} /> : children(data)}
  </>
);
