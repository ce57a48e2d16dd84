/** Values of an ended task that runs again: those of a new task. `temp` stays, because it is the checkpoint. */
export const RUN_AGAIN = {
  attempts: 0,
  releases: 0,
  progress: 0,
  error: null,
  runAt: null,
  finishedAt: null,
} as const;

/**
 * Whether this ready task had ended before and plain SQL has set its status back. Such a row still has the end, or the
 * attempts, of its last run; the queue itself never leaves a ready row like that.
 */
export const isRunAgainBySql = (
  { finishedAt, attempts }: { finishedAt: unknown; attempts: number },
  maxAttempts: number,
): boolean => finishedAt !== null || attempts >= maxAttempts;
