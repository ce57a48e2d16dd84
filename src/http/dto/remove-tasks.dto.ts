import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { LIMITS } from '../../core/rules.js';
import { IsIds } from './ids.js';

@ApiSchema({ name: 'removeTasks' })
export class RemoveTasksDto {
  @ApiProperty({
    type: [String],
    description: `Ids of the tasks to delete, at most ${LIMITS.ids}; as text, a JSON array of them.`,
    maxItems: LIMITS.ids,
    minItems: 1,
    example: ['019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c'],
  })
  @IsIds()
  ids!: string[];
}
