import type { BulkAction } from '../queue/use-cases/change-many.js';

/** running: being worked off. done: every task that fits was tried. aborted: stopped on request. */
export const BULK_STATES = ['running', 'done', 'aborted'] as const;
export type BulkState = (typeof BULK_STATES)[number];

/** A change of many tasks, and how far it is. */
export interface Bulk {
  bulkId: string;
  action: BulkAction;
  state: BulkState;
  /** Tasks that fitted so far, those for which it worked, and those for which it did not. */
  matched: number;
  done: number;
  failed: number;
  /** The filter as it was asked for. */
  filter: Record<string, unknown>;
  /** Whose tasks it changes. null: those of all owners. */
  userId: string | null;
  /** Who asked for it. */
  requestedBy: string | null;
  createdAt: Date;
  endedAt: Date | null;
}
