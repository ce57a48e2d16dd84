import { DIGEST, type SideTable } from './table.js';

/** Keys of creates and claims, and what was answered to each. */
export const KEYS: SideTable = {
  suffix: 'keys',
  holds: 'idempotency keys',
  columns: {
    id: DIGEST,
    fingerprint: { ...DIGEST, nullable: true },
    task_ids: { kind: 'text', nullable: true },
    expires_at: { kind: 'time' },
  },
  indexes: { expires: { on: ['expires_at'] } },
};
