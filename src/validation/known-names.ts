import { invalid } from './invalid.js';
import { nearestOf } from './nearest.js';

/** What the names are, for the message: "priorty is no setting of a schedule; … the settings are …". */
interface Kind {
  one: string;
  many: string;
}

/** Refuses a property that there is not, and says which one is meant. INVALID_PARAM. */
export function checkNames(given: object, names: readonly string[], { one, many }: Kind, place = ''): void {
  const stranger = Object.keys(given).find((name) => !names.includes(name));
  if (stranger === undefined) return;
  const field = place + stranger;
  const meant = nearestOf(stranger, names);
  const remedy = meant ? `did you mean ${meant}?` : `leave it out; the ${many} are ${names.join(', ')}`;
  throw invalid([{ field, rule: 'unknown', msg: `${field} is no ${one}; ${remedy}` }]);
}
