import type { OperatorTaskFilter } from '../../../../protocol/operator.types.js';
import type { Word } from '../../words/en.js';

/** Conditions of a search, with their names. They stand under the same keys in the address. */
export const CONDITIONS = {
  status: 'task.status',
  service: 'task.service',
  group: 'task.group',
  userId: 'task.owner',
  workerId: 'task.worker',
  scheduleKey: 'schedules.key',
  batchId: 'batches.id',
  error: 'tasks.error',
  createdFrom: 'tasks.from',
  createdTo: 'tasks.to',
  ids: 'tasks.ids',
} as const satisfies Record<keyof OperatorTaskFilter, Word>;

export type Condition = keyof typeof CONDITIONS;
export const NAMES = Object.keys(CONDITIONS) as Condition[];

type Query = Readonly<Record<string, string | undefined>>;

/** The filter of an address. What is no number stays as it is, so that the server says what is wrong with it. */
export function filterOf(query: Query): OperatorTaskFilter {
  const given = NAMES.filter((name) => query[name] !== undefined && query[name] !== '');
  const values = given.map((name) => {
    const text = query[name]!;
    if (name === 'ids') return [name, idsOf(text)];
    return [name, name === 'status' && /^-?\d+$/.test(text) ? Number(text) : text];
  });
  return Object.fromEntries(values) as OperatorTaskFilter;
}

/** The address of a filter, such as that of a bulk job. */
export function queryOf(given: object): Record<string, string> {
  const filter = given as Readonly<Record<string, unknown>>;
  const names = NAMES.filter((name) => filter[name] !== undefined && filter[name] !== null);
  return Object.fromEntries(names.map((name) => [name, String(filter[name])]));
}

export const isEmpty = (filter: object): boolean => Object.keys(filter).length === 0;

/** Ids with commas, spaces or lines in between, as they are pasted. */
export const idsOf = (text: string): string[] => [...new Set(text.split(/[\s,;"'[\]]+/).filter(Boolean))];

/** Whether no new task can fit: only these, or only those of a time that is over. */
export const isClosed = ({ ids, createdTo }: OperatorTaskFilter, now: number): boolean =>
  ids !== undefined || (createdTo !== undefined && Date.parse(createdTo) < now);
