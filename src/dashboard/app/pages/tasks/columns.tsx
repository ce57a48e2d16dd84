import { Chip, StatusChip } from '../../components/chip.js';
import { Progress } from '../../components/progress.js';
import { taskIdColumn } from '../../components/task-id.js';
import type { Column } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { isRunning } from '../../status.js';
import { t } from '../../words/index.js';
import type { TaskRow } from './feed.js';

/** The most important first: a small screen shows the others when the table is moved. */
export const columns = (): Column<TaskRow>[] => [
  {
    key: 'status',
    name: t('task.status'),
    className: 'is-status',
    cell: ({ status, isGone }) =>
      isGone ? <Chip kind="is-draft">{t('tasks.gone')}</Chip> : <StatusChip code={status} />,
  },
  taskIdColumn(),
  {
    key: 'service',
    name: t('task.service'),
    className: 'is-name',
    cell: ({ service, group }) => (
      <span title={group === null ? service : `${service} / ${group}`}>
        {service}
        {group !== null && <span class="quiet"> / {group}</span>}
      </span>
    ),
  },
  {
    key: 'progress',
    name: t('task.progress'),
    className: 'is-progress',
    cell: ({ progress, status, isGone }) =>
      isRunning(status) && !isGone ? <Progress value={progress} most={100} label={t('task.progress')} /> : null,
  },
  { key: 'created', name: t('task.created'), className: 'is-time', cell: ({ createdAt }) => <Time at={createdAt} /> },
  { key: 'owner', name: t('task.owner'), className: 'is-name', cell: ({ userId }) => <Text text={userId} /> },
  { key: 'worker', name: t('task.worker'), className: 'is-name', cell: ({ workerId }) => <Text text={workerId} /> },
  { key: 'attempt', name: t('task.attempt'), isNumber: true, cell: ({ attempt }) => attempt },
  { key: 'error', name: t('task.error'), className: 'is-wide', cell: ({ error }) => <Text text={error} isFirstLine /> },
];

/** Cut where there is no room. The tooltip has all of it. */
const Text = ({ text, isFirstLine = false }: { text: string | null; isFirstLine?: boolean }) =>
  text === null || text === '' ? (
    <span class="quiet">–</span>
  ) : (
    <span title={text}>{isFirstLine ? text.split('\n', 1)[0] : text}</span>
  );
