import type { SideTable } from './table.js';

/**
 * What was set for services while the queue runs. NULL: the options decide. The claims of a limited service lock its
 * row.
 */
export const SERVICES: SideTable = {
  suffix: 'services',
  holds: 'settings of services',
  columns: {
    id: { kind: 'key', length: 64 },
    paused: { kind: 'tiny', nullable: true },
    paused_until: { kind: 'time', nullable: true },
    note: { kind: 'text', nullable: true },
    max_running: { kind: 'int', nullable: true },
    max_running_per_owner: { kind: 'int', nullable: true },
    // 1: owners take turns, 2: groups do, 0: nobody does.
    fair: { kind: 'tiny', nullable: true },
    // At most `rate_max` starts in `rate_per` seconds, after up to `rate_burst` at once.
    rate_max: { kind: 'int', nullable: true },
    rate_per: { kind: 'int', nullable: true },
    rate_burst: { kind: 'int', nullable: true },
    // What was left of the rate at this time, in millionths of starts. NULL: all of the burst.
    credit: { kind: 'big', nullable: true },
    credit_at: { kind: 'time', nullable: true },
    changed_by: { kind: 'string', length: 255, nullable: true },
    // NULL: nobody has set anything. The row is there to be locked.
    changed_at: { kind: 'time', nullable: true },
  },
  indexes: {},
};
