import type { WorkerLoad } from '../../../protocol/operator.types.js';
import { operator } from '../api/client.js';
import { usePoll } from '../api/use-poll.js';
import { Empty, Loaded } from '../components/state.js';
import { type Column, Table } from '../components/table.js';
import { Time } from '../components/time.js';
import { count } from '../format/number.js';
import { go } from '../location.js';
import { hashOf } from '../router.js';
import { codeOf } from '../status.js';
import { language, plural, t } from '../words/index.js';

export function WorkersPage() {
  const workers = usePoll('workers', (signal) => operator.workers({ signal }));
  return (
    <>
      <h1>{t('nav.workers')}</h1>
      <Loaded of={workers}>
        {(list) =>
          list.length === 0 ? (
            <Empty title={t('workers.none')} text={t('workers.none.text')} />
          ) : (
            <>
              <p class="quiet">{plural('overview.workers', new Set(list.map(({ workerId }) => workerId)).size)}</p>
              <Table
                label={t('nav.workers')}
                columns={columns()}
                rows={list}
                keyOf={({ workerId, service }) => `${service} ${workerId}`}
                onOpen={(load) => go(['tasks'], held(load))}
              />
            </>
          )
        }
      </Loaded>
    </>
  );
}

/** The tasks that it holds. Those of workers without a name can only be told by their service. */
const held = ({ workerId, service }: WorkerLoad): Record<string, string | undefined> => ({
  workerId: workerId ?? undefined,
  service,
  status: String(codeOf('START')),
});

const columns = (): Column<WorkerLoad>[] => [
  {
    key: 'worker',
    name: t('task.worker'),
    cell: (load) => <a href={hashOf(['tasks'], held(load))}>{load.workerId ?? t('workers.unnamed')}</a>,
  },
  {
    key: 'service',
    name: t('task.service'),
    cell: ({ service }) => <a href={hashOf(['tasks'], { service })}>{service}</a>,
  },
  { key: 'running', name: t('workers.holds'), isNumber: true, cell: ({ running }) => count(running, language.value) },
  { key: 'since', name: t('workers.since'), cell: ({ since }) => <Time at={since} /> },
  { key: 'heard', name: t('workers.heard'), cell: ({ lastHeard }) => <Time at={lastHeard} /> },
  { key: 'lease', name: t('workers.lease'), cell: ({ leaseExpiresAt }) => <Time at={leaseExpiresAt} /> },
];
