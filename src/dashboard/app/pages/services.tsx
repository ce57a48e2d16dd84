import type { ServiceOverview } from '../../../protocol/overview.types.js';
import { act } from '../api/act.js';
import { operator } from '../api/client.js';
import { mayChange } from '../api/session.js';
import { usePoll } from '../api/use-poll.js';
import { Button } from '../components/button.js';
import { Chip } from '../components/chip.js';
import { ask } from '../components/dialog.js';
import { FirstTask } from '../components/first-task.js';
import { Loaded } from '../components/state.js';
import { type Column, Table } from '../components/table.js';
import { Duration } from '../components/time.js';
import { count } from '../format/number.js';
import { hashOf } from '../router.js';
import { language, t } from '../words/index.js';

export function ServicesPage() {
  const overview = usePoll('overview', (signal) => operator.overview({ signal }));
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
              columns={columns(overview.reload)}
              rows={services}
              keyOf={({ service }) => service}
            />
          )
        }
      </Loaded>
    </>
  );
}

const columns = (onChanged: () => void): Column<ServiceOverview>[] => [
  {
    key: 'service',
    name: t('task.service'),
    cell: ({ service, paused }) => (
      <>
        <a href={hashOf(['tasks'], { service })}>{service || t('overview.otherServices')}</a>{' '}
        {paused && <Chip kind="is-paused">{t('overview.paused')}</Chip>}
      </>
    ),
  },
  ...(['ready', 'waiting', 'running'] as const).map((name): Column<ServiceOverview> => ({
    key: name,
    name: t(`status.${name}`),
    isNumber: true,
    cell: (row) => count(row[name], language.value, row.atLeast.includes(name)),
  })),
  {
    key: 'oldest',
    name: t('overview.oldest'),
    isNumber: true,
    cell: ({ oldestReadySeconds }) => (oldestReadySeconds === null ? '–' : <Duration ms={oldestReadySeconds * 1000} />),
  },
  { key: 'note', name: t('services.note'), cell: ({ note }) => note ?? '' },
  ...(mayChange()
    ? [
        {
          key: 'action',
          name: t('table.actions'),
          cell: (row: ServiceOverview) => <Switch service={row} onChanged={onChanged} />,
        },
      ]
    : []),
];

function Switch({ service: { service, paused }, onChanged }: { service: ServiceOverview; onChanged: () => void }) {
  const change = async (): Promise<void> => {
    const isWanted =
      paused ||
      (await ask({
        title: t('services.pause.ask', { service }),
        text: t('services.pause.text'),
        action: t('services.pause'),
      }));
    if (!isWanted) return;
    await act(
      () => operator.setService(service, { paused: !paused }),
      (state) => t(state.paused ? 'services.paused' : 'services.resumed', { service }),
    );
    onChanged();
  };
  if (service === '') return null;
  return <Button onClick={() => void change()}>{paused ? t('services.resume') : t('services.pause')}</Button>;
}
