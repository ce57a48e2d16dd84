import { TaskPage } from './task/task.js';
import { TaskList } from './tasks/list.js';
import type { PageProps } from './page.js';

export function TasksPage({ rest: [id], query }: PageProps) {
  return id === undefined ? <TaskList query={query} /> : <TaskPage id={id} />;
}
