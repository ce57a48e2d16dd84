import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsString } from 'class-validator';
import { Transform } from 'class-transformer';
import { LIMITS } from '../../core/rules.js';

/** `ids`: an array, or the JSON text of one; at most LIMITS.ids strings. */
export const IsIds = (): PropertyDecorator => (target, property) => {
  const message = 'ids must be a list of task ids, or the JSON text of one: ["…","…"]';
  Transform(({ value }: { value: unknown }) => parseIds(value))(target, property);
  ArrayMaxSize(LIMITS.ids, { message: `ids must be at most ${LIMITS.ids} ids` })(target, property);
  ArrayNotEmpty({ message })(target, property);
  IsString({ each: true, message })(target, property);
  IsArray({ message })(target, property);
};

function parseIds(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
