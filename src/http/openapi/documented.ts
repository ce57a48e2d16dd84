import type { Type } from '@nestjs/common';
import { ApiPropertyOptional, type ApiPropertyOptions, ApiSchema } from '@nestjs/swagger';
import type { PriorityRange } from '../../validation/rules.js';
import { SWAGGER } from '../binding/nest-internals.js';

/** What the document says of the statuses that a request may send. */
export interface StatusDoc {
  description: string;
  enum: number[];
  /** Only if a first request should send a status. */
  example?: number;
}

export function withStatus(Dto: Type, name: string, doc: StatusDoc): Type {
  class Documented extends Dto {
    @ApiPropertyOptional({ ...doc, type: 'integer' })
    declare status?: number;
  }
  ApiSchema({ name })(Documented);
  return Documented;
}

/** Only documents the range. A request is checked against the option `userPriority`. */
export function withPriority(Documented: Type, { min: minimum, max: maximum }: PriorityRange): Type {
  const proto = Documented.prototype as object;
  const known = Reflect.getMetadata(SWAGGER.property, proto, 'priority') as ApiPropertyOptions;
  // A task without a priority has 0, also if the range leaves 0 out. A documented default must be an allowed value.
  const preset = minimum <= 0 && 0 <= maximum ? 0 : undefined;
  ApiPropertyOptional({ ...known, minimum, maximum, default: preset } as ApiPropertyOptions)(proto, 'priority');
  return Documented;
}
