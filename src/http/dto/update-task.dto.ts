import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { BOUNDS, textRule, wholeRule } from '../../validation/rules.js';
import { Field, toInteger, toText } from '../../validation/field.js';

@ApiSchema({ name: 'updateTask' })
export class UpdateTaskDto {
  @ApiPropertyOptional({
    description: `Replaces the input, if no worker has taken the task yet; at most ${BOUNDS.textBytes} bytes of UTF-8.`,
    maxLength: BOUNDS.textBytes,
  })
  @Field(textRule, { to: toText })
  input?: string;

  @ApiPropertyOptional({
    description: `Replaces the parameters, if no worker has taken the task yet; at most ${BOUNDS.textBytes} bytes of UTF-8.`,
    maxLength: BOUNDS.textBytes,
  })
  @Field(textRule, { to: toText })
  args?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'BEGIN makes the task ready, or runs an ended one again; CANCELLED cancels it.',
    example: 10,
  })
  @Field(wholeRule, { to: toInteger })
  status?: number;
}
