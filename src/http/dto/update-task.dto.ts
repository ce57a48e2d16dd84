import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsInt, IsOptional } from 'class-validator';
import { LIMITS, textRule } from '../../core/rules.js';
import { Follows, ToInteger, ToText } from '../input.js';

@ApiSchema({ name: 'updateTask' })
export class UpdateTaskDto {
  @ApiPropertyOptional({
    description: `Replaces the input, until a worker has had the task; at most ${LIMITS.textBytes} bytes of UTF-8.`,
    maxLength: LIMITS.textBytes,
    example: 's3://bucket/other.mp4',
  })
  @ToText()
  @Follows(textRule)
  @IsOptional()
  input?: string;

  @ApiPropertyOptional({
    description: `Replaces the parameters, until a worker has had the task; at most ${LIMITS.textBytes} bytes of UTF-8.`,
    maxLength: LIMITS.textBytes,
    example: '{"height":1080}',
  })
  @ToText()
  @Follows(textRule)
  @IsOptional()
  args?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'BEGIN makes it ready, or runs an ended one again; CANCELLED calls it off.',
    example: 10,
  })
  @IsInt({ message: 'status must be an integer' })
  @ToInteger()
  @IsOptional()
  status?: number;
}
