import type { Callbacks } from './callbacks/callbacks.service.js';
import { Cached } from './metrics/cached.js';
import type { GaugeSource } from './metrics/metrics-registry.js';

/** The callbacks that are not delivered, for Prometheus. Rooms do not know each other, so this stands above them. */
export function callbackGauge(callbacks: Pick<Callbacks, 'backlog'>): GaugeSource {
  const backlog = new Cached(() => callbacks.backlog());
  return {
    name: 'callbacks',
    help: 'Callbacks that are not delivered: pending, or dead. Counted up to 100,000.',
    label: 'state',
    async read() {
      const { pending, dead } = await backlog.get();
      return new Map(Object.entries({ pending, dead }));
    },
  };
}
