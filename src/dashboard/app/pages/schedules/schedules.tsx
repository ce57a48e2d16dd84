import type { OperatorSchedule } from '../../../../protocol/schedule.types.js';
import { operator } from '../../api/client.js';
import { actionColumn } from '../../components/action-column.js';
import { Chip } from '../../components/chip.js';
import { OwnedList } from '../../components/owned-list.js';
import { Empty } from '../../components/state.js';
import type { Column } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { hashOf } from '../../router.js';
import { t } from '../../words/index.js';
import type { PageProps } from '../page.js';
import { ScheduleActions } from './actions.js';
import { LOOKS, ScheduleDialog, TaskLink, timesOf } from './schedule-dialog.js';

const STATES = ['active', 'paused', 'ended'] as const;

const nameOf = ({ userId, key }: OperatorSchedule): string => JSON.stringify([userId, key]);

/** The schedules of all owners, in the order of owners and keys. */
export const SchedulesPage = ({ query }: PageProps) => (
  <OwnedList
    title={t('nav.schedules')}
    query={query}
    client={operator.schedules}
    states={{
      label: t('schedules.state'),
      choices: STATES.map((one) => [one, t(`schedules.state.${one}`)]),
    }}
    columns={columns}
    keyOf={nameOf}
    dialog={(schedule, onClose) => <ScheduleDialog schedule={schedule} onClose={onClose} />}
    empty={<Empty title={t('schedules.none')} text={t('schedules.none.text')} />}
    noneSuch={t('schedules.noneSuch')}
  />
);

const columns = (onChanged: () => void): Column<OperatorSchedule>[] => [
  {
    key: 'key',
    name: t('schedules.key'),
    className: 'is-name',
    cell: ({ key, userId }) => (
      <a href={hashOf(['tasks'], { userId, scheduleKey: key })} title={t('schedules.tasks')}>
        {key}
      </a>
    ),
  },
  {
    key: 'owner',
    name: t('task.owner'),
    className: 'is-name',
    cell: ({ userId }) => <a href={hashOf(['schedules'], { userId })}>{userId}</a>,
  },
  {
    key: 'state',
    name: t('schedules.state'),
    cell: ({ state }) => <Chip kind={LOOKS[state]}>{t(`schedules.state.${state}`)}</Chip>,
  },
  {
    key: 'times',
    name: t('schedules.times'),
    className: 'is-wide',
    cell: (schedule) => <span class="mono">{timesOf(schedule)}</span>,
  },
  { key: 'next', name: t('schedules.next'), className: 'is-time', cell: ({ next }) => <Time at={next[0]} /> },
  {
    key: 'last',
    name: t('schedules.last'),
    cell: ({ last }) => (last ? <TaskLink taskId={last.taskId} /> : '–'),
  },
  ...actionColumn<OperatorSchedule>((row) => <ScheduleActions schedule={row} onChanged={onChanged} />),
];
