import { ApiSchema } from '@nestjs/swagger';
import { Field } from '../../validation/field.js';
import { BOUNDS, someIdsRule } from '../../validation/rules.js';

@ApiSchema({ name: 'removeTasks' })
export class RemoveTasksDto {
  @Field(someIdsRule, {
    description: `Ids of the tasks to delete, 1 to ${BOUNDS.ids}: as a list, or in forms and queries as its JSON text.`,
    example: ['019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c'],
    required: true,
  })
  ids!: string[];
}
