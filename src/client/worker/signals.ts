/** Signals that ask a process to end. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Functions to call at a signal. */
const closers = new Set<() => void>();

/** Whether this process can receive signals. A browser cannot. */
export const hasSignals = (): boolean => typeof (globalThis.process as NodeJS.Process | undefined)?.on === 'function';

/**
 * Calls the function at the first SIGTERM or SIGINT. A second signal of either kind ends the process. Returns a
 * function that stops listening. All workers of a process share one listener, because Node warns about more than ten.
 */
export function onSignal(close: () => void): () => void {
  if (closers.size === 0) for (const signal of SIGNALS) process.on(signal, closeAll);
  closers.add(close);
  return () => {
    closers.delete(close);
    if (closers.size === 0) ignore();
  };
}

function closeAll(): void {
  const all = [...closers];
  closers.clear();
  ignore();
  for (const close of all) close();
}

function ignore(): void {
  for (const signal of SIGNALS) process.off(signal, closeAll);
}
