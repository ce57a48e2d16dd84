import { ArrayMaxSize, IsArray, IsString } from 'class-validator';
import { Transform } from 'class-transformer';
import { LIMITS } from '../../core/rules.js';

/** `ids`: an array, or the JSON text of one; at most LIMITS.ids strings. */
export const IsIds = (): PropertyDecorator => (target, property) => {
  const message = 'ids must be a list of task ids, or the JSON text of one: ["…","…"]';
  Transform(({ value }: { value: unknown }) => parseIds(value))(target, property);
  // The first rule that breaks is the one that the client hears of.
  IsArray({ message })(target, property);
  ArrayMaxSize(LIMITS.ids, { message: `ids must be at most ${LIMITS.ids} ids` })(target, property);
  IsString({ each: true, message })(target, property);
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
