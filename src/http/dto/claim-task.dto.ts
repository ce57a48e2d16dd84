import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { LIMITS, nameRule } from '../../core/rules.js';
import { Follows } from '../input.js';

@ApiSchema({ name: 'claimTask' })
export class ClaimTaskDto {
  @ApiPropertyOptional({
    description: `Tasks of this service only; at most ${LIMITS.nameLength} characters.`,
    minLength: 1,
    maxLength: LIMITS.nameLength,
    example: 'transcode',
  })
  @Follows(nameRule)
  @IsOptional()
  service?: string;

  @ApiPropertyOptional({
    description: `Tasks of this group only; at most ${LIMITS.nameLength} characters.`,
    minLength: 1,
    maxLength: LIMITS.nameLength,
    example: 'gpu-large',
  })
  @Follows(nameRule)
  @IsOptional()
  group?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'This task, if it is ready.',
    maxLength: 36,
    example: '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c',
  })
  @IsOptional()
  taskId?: unknown;
}
