import { TaskError } from '../../contract/errors.js';
import { check, invalid } from '../../validation/invalid.js';
import { keyRule } from '../../validation/rules.js';
import { digest } from '../queue.js';
import type { KeyEntry } from '../stores/key.store.js';
import type { NewRow } from '../stores/task.store.js';

/** An Idempotency-Key belongs to one owner. */
export function checkKey(key: string, owners: Map<string, number>): void {
  check('Idempotency-Key', key, keyRule);
  if (owners.size > 1)
    throw invalid([
      {
        field: 'Idempotency-Key',
        rule: 'oneOwner',
        msg: 'a call with an Idempotency-Key must create tasks of one owner only',
      },
    ]);
}

/** What a key stands for once these rows exist. */
export const keyOf = (key: string, given: { userId: string }[], rows: NewRow[]): KeyEntry => ({
  id: digest('create', given[0]!.userId, key),
  fingerprint: digest(canonical(given)),
  taskIds: rows.map((row) => row.taskId),
});

export const conflict = (): TaskError =>
  new TaskError('IDEMPOTENCY_CONFLICT', {
    msg: 'this Idempotency-Key was used with other content before; use a new key for a new task',
  });

export function gone(): never {
  throw new TaskError('NOT_FOUND', { msg: 'the tasks of this Idempotency-Key have been deleted; use a new key' });
}

/** The same content gives the same text in any order of its fields. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) && !(inner instanceof Date)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
