import type { Callbacks } from './callbacks/callbacks.service.js';
import type { Services } from './flow/services.js';
import { Cached } from './metrics/cached.js';
import type { GaugeSource } from './metrics/metrics-registry.js';

/** The callbacks that are not delivered, for Prometheus. Rooms do not know each other, so this stands above them. */
export function callbackGauge(callbacks: Pick<Callbacks, 'backlog'>): GaugeSource {
  const backlog = new Cached(() => callbacks.backlog());
  return {
    name: 'softdd_task_callbacks',
    help: 'Callbacks that are not delivered: pending, or dead. Counted up to 100,000.',
    label: 'state',
    async read() {
      const { pending, dead } = await backlog.get();
      return new Map(Object.entries({ pending, dead }));
    },
  };
}

/** Which services operators have paused. A service that was never paused has no value. */
export function pausedGauge(services: Pick<Services, 'list'>): GaugeSource {
  const states = new Cached(() => services.list());
  return {
    name: 'softdd_task_paused',
    help: '1 while operators have paused the service.',
    label: 'service',
    async read() {
      return new Map((await states.get()).map(({ service, paused }) => [service, paused ? 1 : 0]));
    },
  };
}
