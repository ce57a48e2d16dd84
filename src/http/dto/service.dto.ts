import { ApiSchema } from '@nestjs/swagger';
import { type Fair, fairRule, maxRunningRule, type RateOptions, rateRule } from '../../flow/settings.js';
import { orNothing } from '../../validation/choice.rules.js';
import { Field } from '../../validation/field.js';
import { booleanRule, textRule, timeRule } from '../../validation/rules.js';

@ApiSchema({ name: 'serviceChanges' })
export class ServiceDto {
  @Field(orNothing(booleanRule), {
    description:
      'Claims find no task of the service. Running tasks, due times and callbacks go on. null: the option `services` ' +
      'decides.',
    example: true,
  })
  paused?: boolean | null;

  @Field(orNothing(timeRule), {
    description: 'When the pause ends by itself: ISO 8601 with its zone. null or empty text: it does not.',
  })
  pausedUntil?: string | null;

  @Field(orNothing(textRule), { description: 'Why, for other operators. null or empty text: no note.' })
  note?: string | null;

  @Field(orNothing(maxRunningRule), {
    description: 'The most tasks that run at once, over all processes. null: the option `services` decides.',
  })
  maxRunning?: number | null;

  @Field(orNothing(rateRule), {
    description:
      'At most `max` starts in `per` seconds on average, and up to `burst` (by default `max`) at once after a quiet ' +
      'time. null: the option `services` decides.',
  })
  rate?: RateOptions | null;

  @Field(orNothing(maxRunningRule), {
    description:
      'The most tasks of one owner that run at once, over all processes. Owners then take turns. null: the option ' +
      '`services` decides.',
  })
  maxRunningPerOwner?: number | null;

  @Field(orNothing(fairRule), {
    description:
      'true: owners take turns; of the next eight with ready tasks, the one of whom the fewest run. `group`: groups do. ' +
      'null: the option `services` decides.',
  })
  fair?: Fair | null;
}
