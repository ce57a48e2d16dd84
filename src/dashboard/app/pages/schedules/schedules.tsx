import { useState } from 'preact/hooks';
import type { OperatorSchedule } from '../../../../protocol/schedule.types.js';
import { operator } from '../../api/client.js';
import { mayChange } from '../../api/session.js';
import { usePoll } from '../../api/use-poll.js';
import { Chip, Choice, FilterChip } from '../../components/chip.js';
import { Pages } from '../../components/pages.js';
import { Empty, Loaded } from '../../components/state.js';
import { type Column, Table } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { setQuery } from '../../location.js';
import { hashOf } from '../../router.js';
import { t } from '../../words/index.js';
import type { PageProps } from '../page.js';
import { ScheduleActions } from './actions.js';
import { LOOKS, ScheduleDialog, TaskLink, timesOf } from './schedule-dialog.js';

type State = OperatorSchedule['state'];
const STATES: readonly State[] = ['active', 'paused', 'ended'];
/** Schedules of a page. */
const SHOWN = 100;

const nameOf = ({ userId, key }: OperatorSchedule): string => JSON.stringify([userId, key]);

/** The schedules of all owners, in the order of owners and keys. */
export function SchedulesPage({ query }: PageProps) {
  const state = STATES.find((one) => one === query.state);
  const { userId, cursor } = query;
  const [openName, setOpenName] = useState<string | undefined>(undefined);
  const page = usePoll(`schedules ${JSON.stringify([state, userId, cursor])}`, (signal) =>
    operator.schedules.list(
      {
        limit: SHOWN,
        ...(state && { state }),
        ...(userId && { userId }),
        ...(cursor && { cursor }),
      },
      { signal },
    ),
  );
  const open = page.data?.list.find((one) => nameOf(one) === openName);
  return (
    <>
      <h1>{t('nav.schedules')}</h1>
      <div class="toolbar">
        <Choice
          label={t('schedules.state')}
          value={state ?? ''}
          choices={[['', t('common.all')], ...STATES.map((one) => [one, t(`schedules.state.${one}`)] as const)]}
          onChoose={(one) => setQuery({ state: one, cursor: undefined })}
        />
        {userId && (
          <FilterChip
            name={t('task.owner')}
            value={userId}
            onRemove={() => setQuery({ userId: undefined, cursor: undefined })}
          />
        )}
      </div>
      <Loaded of={page}>
        {({ list, nextCursor }) => (
          <>
            {list.length === 0 && nextCursor === null ? (
              <Empty title={t('schedules.none')}>
                <p>{t('schedules.none.text', { key: '{key}' })}</p>
              </Empty>
            ) : (
              <Table
                label={t('nav.schedules')}
                columns={columns(page.reload)}
                rows={list}
                keyOf={nameOf}
                onOpen={(one) => setOpenName(nameOf(one))}
              />
            )}
            <Pages cursor={cursor} nextCursor={nextCursor} />
          </>
        )}
      </Loaded>
      {open && <ScheduleDialog schedule={open} onClose={() => setOpenName(undefined)} />}
    </>
  );
}

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
  ...(mayChange()
    ? [
        {
          key: 'action',
          name: t('table.actions'),
          cell: (row: OperatorSchedule) => <ScheduleActions schedule={row} onChanged={onChanged} />,
        },
      ]
    : []),
];
