import type { Claim } from './claim-options.js';

/**
 * Claims by service and filter. `crossing`: claims without a service or with a task id, which may meet any of the
 * others.
 */
export function byService(claims: Claim[]): { apart: Claim[][][]; crossing: Claim[][] } {
  const named = claims.filter(({ service, taskId }) => service !== undefined && taskId === undefined);
  const crossing = claims.filter(({ service, taskId }) => service === undefined || taskId !== undefined);
  return { apart: groupBy(named, ({ service }) => service!).map(byFilter), crossing: byFilter(crossing) };
}

const byFilter = (claims: Claim[]): Claim[][] =>
  groupBy(claims, ({ group, service, taskId }) => JSON.stringify([service, group, taskId]));

function groupBy<I>(items: I[], keyOf: (item: I) => string): I[][] {
  const groups = new Map<string, I[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}
