import { ApiSchema } from '@nestjs/swagger';
import { Writes } from '../../validation/field.js';

@ApiSchema({ name: 'updateTask' })
export class UpdateTaskDto {
  @Writes('change') input?: string;
  @Writes('change') args?: string;
  @Writes('change') status?: number;
}
