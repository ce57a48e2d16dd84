import type { BatchMember } from '../../../../protocol/batch.types.js';
import { Chip, StatusChip } from '../../components/chip.js';
import { Conditions } from '../../components/conditions.js';
import { Pages } from '../../components/pages.js';
import { taskIdColumn } from '../../components/task-id.js';
import { type Column, Table } from '../../components/table.js';
import { go } from '../../location.js';
import { statusName, STATUSES } from '../../status.js';
import { t } from '../../words/index.js';

interface TasksProps {
  tasks: readonly BatchMember[];
  nextCursor: string | null;
  query: Readonly<Record<string, string>>;
}

/** The tasks of a batch, in the order in which they were created. The conditions stand in the address. */
export const Tasks = ({ tasks, nextCursor, query }: TasksProps) => (
  <section>
    <h2>{t('batches.tasks')}</h2>
    <Conditions
      query={query}
      name="status"
      label={t('task.status')}
      value={query.status}
      choices={STATUSES.map((one) => [String(one.code), statusName(one)])}
      others={{ layer: t('batches.layer') }}
    />
    {tasks.length === 0 ? (
      <p class="quiet">{t('batches.tasks.none')}</p>
    ) : (
      <Table
        label={t('batches.tasks')}
        columns={columns()}
        rows={tasks}
        keyOf={({ taskId }) => taskId}
        onOpen={({ taskId, status: code }) => code !== null && go(['tasks', taskId])}
      />
    )}
    <Pages cursor={query.cursor} nextCursor={nextCursor} />
  </section>
);

const columns = (): Column<BatchMember>[] => [
  {
    key: 'status',
    name: t('task.status'),
    className: 'is-status',
    cell: ({ status }) =>
      status === null ? <Chip kind="is-draft">{t('tasks.gone')}</Chip> : <StatusChip code={status} />,
  },
  taskIdColumn(),
  {
    key: 'name',
    name: t('batches.name'),
    className: 'is-name',
    cell: ({ ref }) => ref ?? <span class="quiet">–</span>,
  },
  {
    key: 'service',
    name: t('task.service'),
    className: 'is-name',
    cell: ({ service }) => service ?? <span class="quiet">–</span>,
  },
  { key: 'layer', name: t('batches.layer'), isNumber: true, cell: ({ layer }) => layer },
  {
    key: 'waitsFor',
    name: t('batches.waitsFor'),
    isNumber: true,
    cell: ({ dependsOn }) => dependsOn.length,
  },
];
