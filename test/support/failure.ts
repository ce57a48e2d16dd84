import type { TaskError } from '../../src/index.js';

/** What a call fails with: the failure's name, and the field of its first problem where it has one. */
export const failure = (call: Promise<unknown>): Promise<string[] | undefined> =>
  call.then(
    () => undefined,
    (error: TaskError) => {
      const field = (error.detail as { field: string }[] | undefined)?.[0]?.field;
      return field === undefined ? [error.errorName] : [error.errorName, field];
    },
  );
