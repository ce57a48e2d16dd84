import type { GaugeSource } from './metrics-registry.js';
import type { QueueGauges, ServiceGauges } from './queue-gauges.js';

/** The label of the services that are not told apart. */
const OTHERS = '_other';

/** The gauges of each service. */
export function queueGauges(gauges: Pick<QueueGauges, 'read'>): GaugeSource[] {
  const of = (name: string, help: string, valueOf: (row: ServiceGauges) => number): GaugeSource => ({
    name,
    help,
    labels: ['service'],
    read: async () =>
      (await gauges.read()).map((row) => ({ labels: { service: row.service || OTHERS }, value: valueOf(row) })),
  });
  return [
    of('softdd_task_ready', 'Tasks that are ready, counted up to 100,000.', ({ ready }) => ready),
    of('softdd_task_waiting', 'Tasks that wait for their time, counted up to 100,000.', ({ waiting }) => waiting),
    of('softdd_task_running', 'Tasks that workers have, counted up to 100,000.', ({ running }) => running),
    of(
      'softdd_task_oldest_ready_age_seconds',
      'Since when the task has been ready that has been for the longest. 0: none is ready.',
      ({ oldestReadySeconds }) => oldestReadySeconds ?? 0,
    ),
  ];
}
