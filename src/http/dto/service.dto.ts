import { ApiSchema } from '@nestjs/swagger';
import { orNothing } from '../../validation/choice.rules.js';
import { Field } from '../../validation/field.js';
import { booleanRule, textRule, timeRule } from '../../validation/rules.js';

@ApiSchema({ name: 'serviceChanges' })
export class ServiceDto {
  @Field(booleanRule, {
    description: 'Claims find no task of the service. Running tasks, due times and callbacks go on.',
    example: true,
  })
  paused?: boolean;

  @Field(orNothing(timeRule), {
    description: 'When the pause ends by itself: ISO 8601 with its zone. Empty text: it does not.',
  })
  pausedUntil?: string | null;

  @Field(orNothing(textRule), { description: 'Why, for other operators. Empty text: no note.' })
  note?: string | null;
}
