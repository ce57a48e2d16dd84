import { BATCH_ROUTES } from './batch.routes.js';
import { OPERATOR_ROUTES } from './operator.routes.js';
import type { Audience, RouteDefinition } from './route-definition.js';
import { SCHEDULE_ROUTES } from './schedule.routes.js';
import { USER_ROUTES } from './user.routes.js';
import { WORKER_ROUTES } from './worker.routes.js';

/** Every route. */
export const ROUTES: readonly RouteDefinition[] = [
  ...USER_ROUTES,
  ...WORKER_ROUTES,
  ...SCHEDULE_ROUTES,
  ...BATCH_ROUTES,
  ...OPERATOR_ROUTES,
];

export const routesOf = (audience: Audience): RouteDefinition[] =>
  ROUTES.filter((route) => route.audience === audience);
