import type { Callbacks } from './callbacks/callbacks.service.js';
import type { Services, ServiceState } from './flow/services.js';
import { Cached } from './metrics/cached.js';
import type { GaugeSource, GaugeValue } from './metrics/metrics-registry.js';

/** The callbacks that are not delivered, for Prometheus. Rooms do not know each other, so this stands above them. */
export function callbackGauge(callbacks: Pick<Callbacks, 'backlog'>): GaugeSource {
  const backlog = new Cached(() => callbacks.backlog());
  return {
    name: 'softdd_task_callbacks',
    help: 'Callbacks that are not delivered: pending, or dead. Counted up to 100,000.',
    labels: ['state'],
    async read() {
      const { pending, dead } = await backlog.get();
      return [
        { labels: { state: 'pending' }, value: pending },
        { labels: { state: 'dead' }, value: dead },
      ];
    },
  };
}

/** What operators and options have set for services. A service without such settings has no values. */
export function serviceGauges(services: Pick<Services, 'list'>): GaugeSource[] {
  const states = new Cached(() => services.list());
  const of = (
    name: string,
    help: string,
    labels: string[],
    valueOf: (state: ServiceState) => Partial<GaugeValue> | null | undefined,
  ): GaugeSource => ({
    name,
    help,
    labels: ['service', ...labels],
    read: async () =>
      (await states.get()).flatMap((state) => {
        const found = valueOf(state);
        return found ? { labels: { service: state.service, ...found.labels }, value: found.value ?? 1 } : [];
      }),
  });
  return [
    of('softdd_task_paused', '1 while operators have paused the service.', [], ({ paused }) => ({
      value: paused ? 1 : 0,
    })),
    of('softdd_task_max_running', 'The most tasks of the service that may run at once.', [], ({ maxRunning }) =>
      maxRunning === null ? undefined : { value: maxRunning },
    ),
    of(
      'softdd_task_limited',
      '1 while claims of the service find no task, and why: paused, limit or rate.',
      ['reason'],
      ({ wait }) => wait && { labels: { reason: wait } },
    ),
  ];
}
