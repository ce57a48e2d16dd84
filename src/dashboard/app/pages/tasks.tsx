import { useState } from 'preact/hooks';
import type { OperatorListQuery, OperatorTask } from '../../../protocol/operator.types.js';
import { operator } from '../api/client.js';
import { usePoll } from '../api/use-poll.js';
import { FilterChip, StatusChip } from '../components/chip.js';
import { Progress } from '../components/progress.js';
import { Empty, Loaded } from '../components/state.js';
import { type Column, Table } from '../components/table.js';
import { Time, wholeTime } from '../components/time.js';
import { go, setQuery } from '../location.js';
import { codeOf, statusName, statusOf, STATUSES } from '../status.js';
import { t, type Word } from '../words/index.js';
import type { PageProps } from './page.js';
import { TaskPage } from './task.js';

/** Conditions that stand in the address, with their names. */
const FILTERS: Readonly<Record<string, Word>> = {
  status: 'task.status',
  service: 'task.service',
  group: 'task.group',
  userId: 'task.owner',
  workerId: 'task.worker',
  error: 'task.error',
};

/** Rows that one look reads, and how many more each click on "more" adds. */
const PAGE = 200;

export function TasksPage({ rest: [id], query }: PageProps) {
  return id === undefined ? <TaskList query={query} /> : <TaskPage id={id} />;
}

export function filterOf(query: Readonly<Record<string, string>>): OperatorListQuery {
  const { status, ...rest } = Object.fromEntries(
    Object.keys(FILTERS).flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]]])),
  );
  return { ...rest, ...(status === undefined ? {} : { status: Number(status) }) };
}

function TaskList({ query }: { query: Readonly<Record<string, string>> }) {
  const [pageNum, setPageNum] = useState(PAGE);
  const filter = filterOf(query);
  const page = usePoll(JSON.stringify({ filter, pageNum }), (signal) =>
    operator.list({ ...filter, pageNum }, { signal }),
  );
  return (
    <>
      <h1>{t('nav.tasks')}</h1>
      <div class="toolbar">
        <label class="field">
          <span>{t('task.status')}</span>
          <select value={query.status ?? ''} onChange={(event) => setQuery({ status: event.currentTarget.value })}>
            <option value="">{t('common.all')}</option>
            {STATUSES.map((status) => (
              <option key={status.code} value={String(status.code)}>
                {statusName(status)}
              </option>
            ))}
          </select>
        </label>
        {Object.entries(FILTERS).map(
          ([name, word]) =>
            query[name] !== undefined && (
              <FilterChip
                key={name}
                name={t(word)}
                value={name === 'status' ? statusName(statusOf(Number(query[name]))) : query[name]}
                onRemove={() => setQuery({ [name]: undefined })}
              />
            ),
        )}
      </div>
      <Loaded of={page} rows={8}>
        {({ list, nextCursor, searchedTo }) =>
          list.length === 0 ? (
            <Empty title={t('tasks.none')} />
          ) : (
            <>
              <Table
                label={t('nav.tasks')}
                columns={columns()}
                rows={list}
                keyOf={({ taskId }) => taskId}
                onOpen={({ taskId }) => go(['tasks', taskId])}
                onEnd={() => nextCursor !== null && !page.isStale && setPageNum(Math.min(10_000, pageNum + PAGE))}
              />
              {searchedTo !== null && <p class="quiet">{t('tasks.searched', { time: wholeTime(searchedTo) })}</p>}
            </>
          )
        }
      </Loaded>
    </>
  );
}

const columns = (): Column<OperatorTask>[] => [
  {
    key: 'id',
    name: t('task.id'),
    cell: ({ taskId }) => (
      <a class="mono" href={`#/tasks/${encodeURIComponent(taskId)}`}>
        {taskId}
      </a>
    ),
  },
  { key: 'service', name: t('task.service'), cell: ({ service }) => service },
  { key: 'status', name: t('task.status'), cell: ({ status }) => <StatusChip code={status} /> },
  {
    key: 'progress',
    name: t('task.progress'),
    className: 'is-progress',
    cell: ({ progress, status }) =>
      status === codeOf('START') ? <Progress value={progress} most={100} label={t('task.progress')} /> : null,
  },
  { key: 'owner', name: t('task.owner'), cell: ({ userId }) => userId },
  { key: 'attempt', name: t('task.attempt'), isNumber: true, cell: ({ attempt }) => attempt },
  { key: 'created', name: t('task.created'), cell: ({ createdAt }) => <Time at={createdAt} /> },
];
