import type { ServiceState } from '../../../protocol/operator.types.js';
import type { ServiceOverview } from '../../../protocol/overview.types.js';
import { operator } from '../api/client.js';
import { usePoll } from '../api/use-poll.js';
import { actionColumn } from '../components/action-column.js';
import { Chip } from '../components/chip.js';
import { FirstTask } from '../components/first-task.js';
import { LimitsBar, LimitsButton, limitsText, NO_LIMITS } from '../components/limits.js';
import { Owners } from '../components/owners.js';
import { PauseButton } from '../components/pause.js';
import { Loaded } from '../components/state.js';
import { type Column, Table } from '../components/table.js';
import { Duration, Time } from '../components/time.js';
import { count } from '../format/number.js';
import { hashOf } from '../router.js';
import { codeOf } from '../status.js';
import { language, t } from '../words/index.js';

/** Milliseconds between two looks at what operators have set. */
const STATES_EVERY = 10_000;

/** A service, with what operators have set for it, if they have. */
interface Row extends ServiceOverview {
  state: ServiceState | undefined;
}

export function ServicesPage() {
  const overview = usePoll('overview', (signal) => operator.overview({ signal }));
  const states = usePoll('services', (signal) => operator.services({ signal }), STATES_EVERY);
  const reload = (): void => {
    states.reload();
    overview.reload();
  };
  return (
    <>
      <h1>{t('nav.services')}</h1>
      <Loaded of={overview}>
        {({ services }) =>
          services.length === 0 ? (
            <FirstTask />
          ) : (
            <Table
              label={t('nav.services')}
              columns={columns(reload)}
              rows={services.map((one): Row => ({
                ...one,
                state: states.data?.find(({ service }) => service === one.service),
              }))}
              keyOf={({ service }) => service}
            />
          )
        }
      </Loaded>
    </>
  );
}

const COUNTS = [
  ['ready', 'BEGIN'],
  ['waiting', 'WAITING'],
  ['running', 'START'],
] as const;

const columns = (onChanged: () => void): Column<Row>[] => [
  {
    key: 'service',
    name: t('task.service'),
    cell: ({ service }) => <a href={hashOf(['tasks'], { service })}>{service || t('overview.otherServices')}</a>,
  },
  {
    key: 'state',
    name: t('services.state'),
    cell: ({ paused }) =>
      paused ? (
        <Chip kind="is-paused">{t('overview.paused')}</Chip>
      ) : (
        <Chip kind="is-finished">{t('services.open')}</Chip>
      ),
  },
  ...actionColumn<Row>(({ service, paused }) => (
    <PauseButton service={service} paused={paused} onChanged={onChanged} />
  )),
  ...COUNTS.map(([name, role]): Column<Row> => ({
    key: name,
    name: t(`status.${name}`),
    isNumber: true,
    cell: (row) => (
      <a href={hashOf(['tasks'], { service: row.service, status: String(codeOf(role)) })}>
        {count(row[name], language.value, row.atLeast.includes(name))}
      </a>
    ),
  })),
  {
    key: 'oldest',
    name: t('overview.oldest'),
    isNumber: true,
    cell: ({ oldestReadySeconds }) => (oldestReadySeconds === null ? '–' : <Duration ms={oldestReadySeconds * 1000} />),
  },
  {
    key: 'limits',
    name: t('services.limits'),
    cell: ({ service, state, maxRunning }) => {
      const limits = { ...NO_LIMITS, maxRunning, ...state };
      return (
        <>
          {limitsText(limits)} <LimitsBar {...limits} />{' '}
          <LimitsButton service={service} limits={limits} onChanged={onChanged} />
        </>
      );
    },
  },
  {
    key: 'owners',
    name: t('services.owners'),
    cell: ({ service, owners }) => <Owners service={service} owners={owners} />,
  },
  { key: 'until', name: t('services.until'), cell: ({ pausedUntil }) => <Time at={pausedUntil} /> },
  {
    key: 'note',
    name: t('services.note'),
    className: 'is-wide',
    cell: ({ note }) => <span title={note ?? ''}>{note ?? ''}</span>,
  },
  { key: 'by', name: t('services.changedBy'), cell: ({ state }) => state?.changedBy ?? '–' },
  { key: 'at', name: t('services.changedAt'), cell: ({ state }) => <Time at={state?.changedAt} /> },
];
