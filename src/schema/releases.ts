import { ATTEMPTS } from './tables/attempts.table.js';
import { BATCH_DEPENDENCIES, BATCH_MEMBERS, BATCHES } from './tables/batches.table.js';
import { BULKS } from './tables/bulks.table.js';
import { CALLBACKS } from './tables/callbacks.table.js';
import { KEYS } from './tables/keys.table.js';
import { METRICS } from './tables/metrics.table.js';
import { SCHEDULES } from './tables/schedules.table.js';
import { SERVICES } from './tables/services.table.js';
import type { SideTable } from './tables/table.js';

/** A release that changed the schema. `up` brings a table from any state to today's schema. */
export interface Release {
  name: string;
  /** Tables that it added next to the task table. `down` removes them. */
  tables: readonly SideTable[];
}

/** The first one also created or adopted the task table. To add a table, declare it and name it here. */
export const RELEASES: readonly Release[] = [
  { name: 'Initial1763900000000', tables: [KEYS, CALLBACKS] },
  // Running rows without a lease are due. The index and the triggers for this are the first release's, and removed with
  // it.
  { name: 'Leaseless1764115200000', tables: [] },
  {
    name: 'Operators1795651200000',
    tables: [METRICS, ATTEMPTS, SERVICES, BULKS, SCHEDULES, BATCHES, BATCH_MEMBERS, BATCH_DEPENDENCIES],
  },
];

export const SIDE_TABLES: readonly SideTable[] = RELEASES.flatMap(({ tables }) => tables);
