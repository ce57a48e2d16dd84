import type { SideTable } from './table.js';

/** Services that operators have paused or resumed. A service without a row is as the options say. */
export const SERVICES: SideTable = {
  suffix: 'services',
  holds: 'paused services',
  columns: {
    id: { kind: 'key', length: 64 },
    paused: { kind: 'tiny', default: 0 },
    paused_until: { kind: 'time', nullable: true },
    note: { kind: 'text', nullable: true },
    changed_by: { kind: 'string', length: 255, nullable: true },
    changed_at: { kind: 'time' },
  },
  indexes: {},
};
