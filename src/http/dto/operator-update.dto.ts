import { ApiSchema } from '@nestjs/swagger';
import { Field } from '../../validation/field.js';
import { priorityRule, statusRule } from '../../validation/rules.js';

@ApiSchema({ name: 'operatorUpdateTask' })
export class OperatorUpdateDto {
  @Field(statusRule, {
    description: 'BEGIN makes the task ready, or runs an ended one again; CANCELLED cancels it.',
    example: 10,
  })
  status?: number;

  @Field(priorityRule, { description: 'Lower is claimed first.' })
  priority?: number;
}
