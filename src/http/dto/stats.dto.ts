import { ApiSchema } from '@nestjs/swagger';
import { Field } from '../../validation/field.js';
import { nameRule, timeRule, stepRule } from '../../validation/rules.js';

/** The time and the steps of a series. */
@ApiSchema({ name: 'stats' })
export class StatsDto {
  @Field(timeRule, { description: 'Its begin. Omitted: an hour before its end.' })
  from?: string;

  @Field(timeRule, { description: 'Its end. Omitted: now.' })
  to?: string;

  @Field(stepRule, {
    description: 'Seconds of a point, a multiple of 60. Omitted: as many as give at most 60 points.',
  })
  step?: number;

  @Field(nameRule, { description: 'Only this service. Omitted: all together.' })
  service?: string;
}
