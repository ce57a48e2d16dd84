import type { TaskStatusCatalogue } from '../contract/status.js';
import { check } from '../validation/invalid.js';

/** The only status that a batch can be set to. INVALID_PARAM. */
export function demandCancelled(status: number, { CANCELLED }: TaskStatusCatalogue): void {
  check('status', status, (value) =>
    value === CANCELLED ? undefined : { rule: 'isIn', msg: `must be ${CANCELLED}, which cancels the batch` },
  );
}
