import { hashOf } from '../router.js';
import { t } from '../words/index.js';
import type { Column } from './table.js';

/** The column with the id of a task, which leads to its page. */
export const taskIdColumn = <Row extends { taskId: string }>(): Column<Row> => ({
  key: 'id',
  name: t('task.id'),
  className: 'is-id',
  cell: ({ taskId }) => (
    <a class="mono" href={hashOf(['tasks', taskId])} title={taskId}>
      <bdi>{taskId}</bdi>
    </a>
  ),
});
