/** The routes by the names of the server's options. `{taskId}` stands for the id. */
export const URIS = {
  postTaskUri: '/api/tasks',
  getTaskListUri: '/api/tasks',
  postTaskListUri: '/api/tasks/list',
  deleteTaskUri: '/api/tasks',
  getTaskEventsUri: '/api/tasks/events',
  getTaskUri: '/api/tasks/{taskId}',
  putTaskUri: '/api/tasks/{taskId}',
  getCronTaskUri: '/api/crontask',
  putCronTaskUri: '/api/crontask/{taskId}',
  scheduleUri: '/api/schedules',
  batchUri: '/api/batches',
  operatorUri: '/api/operator',
} as const;

export type Uris = Record<keyof typeof URIS, string>;
