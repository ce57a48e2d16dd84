/** What asks a process to end. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** What is called at a signal. */
const closers = new Set<() => void>();

/** Whether this is a process that signals may reach: a browser has none. */
export const hasSignals = (): boolean => typeof (globalThis.process as NodeJS.Process | undefined)?.on === 'function';

/**
 * Calls it at the first SIGTERM or SIGINT; a second one, of either kind, ends the process. Answers how to stop listening.
 * All workers of a process share one listener: Node warns where there are more than ten.
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
