import type { WorkerLoad } from '../../../protocol/operator.types.js';
import { operator } from '../api/client.js';
import { usePoll } from '../api/use-poll.js';
import { Empty, Loaded } from '../components/state.js';
import { type Column, Table } from '../components/table.js';
import { Time } from '../components/time.js';
import { hashOf } from '../router.js';
import { t } from '../words/index.js';

export function WorkersPage() {
  const workers = usePoll('workers', (signal) => operator.workers({ signal }));
  return (
    <>
      <h1>{t('nav.workers')}</h1>
      <Loaded of={workers}>
        {(list) =>
          list.length === 0 ? (
            <Empty title={t('workers.none')} />
          ) : (
            <Table
              label={t('nav.workers')}
              columns={columns()}
              rows={list}
              keyOf={({ workerId, service }) => `${service} ${workerId}`}
            />
          )
        }
      </Loaded>
    </>
  );
}

const columns = (): Column<WorkerLoad>[] => [
  {
    key: 'worker',
    name: t('task.worker'),
    cell: ({ workerId }) =>
      workerId === null ? t('workers.unnamed') : <a href={hashOf(['tasks'], { workerId })}>{workerId}</a>,
  },
  { key: 'service', name: t('task.service'), cell: ({ service }) => service },
  { key: 'running', name: t('status.running'), isNumber: true, cell: ({ running }) => running },
  { key: 'since', name: t('workers.since'), cell: ({ since }) => <Time at={since} /> },
  { key: 'heard', name: t('workers.heard'), cell: ({ lastHeard }) => <Time at={lastHeard} /> },
  { key: 'lease', name: t('task.lease'), cell: ({ leaseExpiresAt }) => <Time at={leaseExpiresAt} /> },
];
