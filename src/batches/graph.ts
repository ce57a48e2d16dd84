import type { FieldProblem } from '../contract/errors.js';
import { oneOf } from '../validation/choice.rules.js';
import { check, invalid } from '../validation/invalid.js';
import { valueRule } from '../validation/rule.js';
import { BOUNDS, shortText } from '../validation/rules.js';
import { RUN_ON, type RunOn } from './batch.js';

/** Names of the parameters by which tasks of a batch name each other. They are no fields of a task. */
export const LINKS: readonly string[] = ['ref', 'dependsOn', 'runOn'];

/** The list of tasks. Each task is checked where it is created. */
export const batchTasksRule = valueRule(
  (value) => (Array.isArray(value) ? undefined : { rule: 'isArray', msg: 'must be a list of tasks' }),
  { type: 'array', items: { type: 'object', additionalProperties: true } },
);

/** What a task of a batch says of the others. */
export interface Linked {
  ref?: unknown;
  dependsOn?: unknown;
  runOn?: unknown;
  runAt?: unknown;
  status?: unknown;
}

/** The place of a task in the graph of its call. */
export interface Link {
  ref: string | undefined;
  /** Places of the tasks that it waits for, each once. */
  needs: number[];
  runsAnyway: boolean;
  /** Other tasks wait for it. */
  leads: boolean;
  /** How many tasks come before it, one after the other. */
  layer: number;
}

const refRule = shortText(BOUNDS.refLength);
/** Names that an error lists. */
const SHOWN = 20;

/** The links of these tasks. INVALID_PARAM: an unknown or a repeated name, a circle, too many dependencies. */
export function linksOf(tasks: readonly Linked[], draft: number): Link[] {
  const places = placesOf(tasks);
  const links = tasks.map((task, index): Link => {
    const { ref, dependsOn, runOn } = task;
    const field = `tasks[${index}]`;
    if (runOn !== undefined) check(`${field}.runOn`, runOn, oneOf(RUN_ON));
    const needs = dependsOn === undefined ? [] : needsOf(dependsOn, places, `${field}.dependsOn`);
    if (needs.length > 0) demandWaiting(task, field, draft);
    return {
      ref: ref as string | undefined,
      needs,
      runsAnyway: (runOn as RunOn | undefined) === 'ended',
      leads: false,
      layer: 0,
    };
  });
  const count = links.reduce((sum, { needs }) => sum + needs.length, 0);
  if (count > BOUNDS.dependencies) {
    const msg = `tasks have ${count} dependencies; one call may have at most ${BOUNDS.dependencies}: let a task in between wait for many`;
    throw invalid([{ field: 'tasks', rule: 'maxDependencies', msg }]);
  }
  for (const { needs } of links) for (const need of needs) links[need]!.leads = true;
  const circle = layered(links);
  if (circle) {
    const names = circle.slice(0, SHOWN).map((place) => links[place]!.ref!);
    const path = [...names, ...(circle.length > SHOWN ? ['…'] : []), names[0]].join(' -> ');
    const msg = `dependsOn must not lead in a circle: ${path}; each waits for the next one`;
    throw invalid([{ field: `tasks[${circle[0]}].dependsOn`, rule: 'circle', msg }]);
  }
  return links;
}

function placesOf(tasks: readonly Linked[]): Map<string, number> {
  const places = new Map<string, number>();
  for (const [index, { ref }] of tasks.entries()) {
    if (ref === undefined) continue;
    const field = `tasks[${index}].ref`;
    check(field, ref, refRule);
    const first = places.get(ref as string);
    if (first !== undefined)
      throw invalid([
        { field, rule: 'unique', msg: `${field} is the name of tasks[${first}], too; give each its own` },
      ]);
    places.set(ref as string, index);
  }
  return places;
}

function needsOf(dependsOn: unknown, places: ReadonlyMap<string, number>, field: string): number[] {
  const isList = Array.isArray(dependsOn) && dependsOn.every((ref) => typeof ref === 'string');
  if (!isList)
    throw invalid([{ field, rule: 'isArray', msg: `${field} must be a list of the \`ref\` of other tasks` }]);
  return [...new Set(dependsOn as string[])].map((ref) => {
    const place = places.get(ref);
    if (place !== undefined) return place;
    const name = JSON.stringify(ref.slice(0, BOUNDS.refLength));
    const msg = `${field} names ${name}, which is the \`ref\` of no task in this call; add a task with it, or leave it out`;
    throw invalid([{ field, rule: 'knownRef', msg }]);
  });
}

/** A task that waits for others is ready at their end, and at no other time. */
function demandWaiting({ runAt, status }: Linked, place: string, draft: number): void {
  const problem = (field: string, msg: string): FieldProblem => ({
    field: `${place}.${field}`,
    rule: 'dependsOn',
    msg,
  });
  if (runAt !== undefined)
    throw invalid([
      problem('runAt', `${place}.runAt: a task with dependsOn runs when the others end; leave runAt out`),
    ]);
  if (status === draft)
    throw invalid([problem('status', `${place}.status: a task with dependsOn is no draft; leave status out`)]);
}

/** Sets the layers. Returns the places of a circle, each of which waits for the next one. undefined: there is none. */
function layered(links: readonly Link[]): number[] | undefined {
  const dependents: number[][] = links.map(() => []);
  const open = links.map(({ needs }, place) => {
    for (const need of needs) dependents[need]!.push(place);
    return needs.length;
  });
  const free = open.flatMap((count, place) => (count === 0 ? [place] : []));
  for (let place = free.pop(); place !== undefined; place = free.pop())
    for (const dependent of dependents[place]!) {
      const link = links[dependent]!;
      link.layer = Math.max(link.layer, links[place]!.layer + 1);
      if ((open[dependent]! -= 1) === 0) free.push(dependent);
    }
  const stuck = open.findIndex((count) => count > 0);
  if (stuck < 0) return undefined;
  // Each task that is left waits for another one that is left: the way along them comes back to itself.
  const seen = new Map<number, number>();
  const path: number[] = [];
  for (let place = stuck; ; place = links[place]!.needs.find((need) => open[need]! > 0)!) {
    if (seen.has(place)) return path.slice(seen.get(place));
    seen.set(place, path.length);
    path.push(place);
  }
}
