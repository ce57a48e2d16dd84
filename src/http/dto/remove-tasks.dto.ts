import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { BOUNDS, someIdsRule } from '../../validation/rules.js';
import { Field, toList } from '../../validation/field.js';

@ApiSchema({ name: 'removeTasks' })
export class RemoveTasksDto {
  @ApiProperty({
    oneOf: [
      { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: BOUNDS.ids },
      { type: 'string', description: 'JSON text of such a list.' },
    ],
    description: `Ids of the tasks to delete, 1 to ${BOUNDS.ids}: as a list, or in forms and queries as its JSON text.`,
    example: ['019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c'],
  })
  @Field(someIdsRule, { to: toList, required: true })
  ids!: string[];
}
