import { Transform } from 'class-transformer';
import { idsRule } from '../../core/rules.js';
import { Follows } from '../input.js';

/** `ids`: an array, or the JSON text of one. */
export const IsIds = (): PropertyDecorator => (target, property) => {
  Transform(({ value }: { value: unknown }) => parseIds(value))(target, property);
  Follows(idsRule)(target, property);
};

function parseIds(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    const parsed: unknown = JSON.parse(value);
    // The text "null" is a mistake, not an absent list.
    return parsed ?? value;
  } catch {
    return value;
  }
}
