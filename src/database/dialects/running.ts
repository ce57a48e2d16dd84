import type { TaskStatusCatalogue } from '../../contract/status.js';

/** The statuses of tasks that no worker has. Any other one, also of the host's own, means that it runs. */
export const idleStatuses = (status: TaskStatusCatalogue): number[] => [
  status.INIT,
  status.WAITING,
  status.BEGIN,
  status.FINISHED,
  status.ERROR,
  status.CANCELLED,
];

/** Condition of a row that runs, and that the claim has marked. An index serves only exactly this text. */
export const isRunning = (status: TaskStatusCatalogue, row = ''): string =>
  [`${row}limited = 1`, ...idleStatuses(status).map((idle) => `${row}status <> ${idle}`)].join(' AND ');
