import { type Condition, idsOf } from './filter.js';

/** What a typed text may mean. `open`: the task itself. */
export interface Suggestion {
  condition: Condition | 'open';
  value: string;
}

type Known = Readonly<Partial<Record<Condition, readonly string[]>>>;

const PLACES: readonly Condition[] = ['service', 'userId', 'workerId', 'group', 'error'];
const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** Known values of one condition. */
const FEW = 4;

/** What the text may mean, the likeliest first: ids, then values that are known and contain it, then each condition. */
export function suggestionsFor(text: string, known: Known): Suggestion[] {
  const value = text.trim();
  if (value === '') return [];
  const ids = idsOf(value);
  if (ids.every((id) => ID.test(id)))
    return ids.length === 1
      ? [
          { condition: 'open', value },
          { condition: 'ids', value },
          { condition: 'batchId', value },
        ]
      : [{ condition: 'ids', value: ids.join(',') }];
  const fitting = PLACES.flatMap((condition) =>
    (known[condition] ?? [])
      .filter((one) => one.toLowerCase().includes(value.toLowerCase()))
      .slice(0, FEW)
      .map((one) => ({ condition, value: one })),
  );
  const typed = PLACES.map((condition) => ({ condition, value }));
  const isNew = (one: Suggestion): boolean =>
    !fitting.some(({ condition, value: other }) => condition === one.condition && other === one.value);
  return [...fitting, ...typed.filter(isNew)];
}
