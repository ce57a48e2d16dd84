import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsDefined, IsInt, IsOptional } from 'class-validator';
import { keyRule, LIMITS, maxAttemptsRule, nameRule, priorityRule, textRule, timeRule } from '../../core/rules.js';
import { Follows, ToInteger, ToText } from '../input.js';

@ApiSchema({ name: 'createTask' })
export class CreateTaskDto {
  @ApiProperty({
    description: `What to work on, e.g. an object-storage id; at most ${LIMITS.textBytes} bytes of UTF-8.`,
    maxLength: LIMITS.textBytes,
    example: 's3://bucket/in.mp4',
  })
  @ToText()
  @Follows(textRule)
  @IsDefined({ message: 'input is required' })
  input!: string;

  @ApiPropertyOptional({
    description: `Parameters of the work; at most ${LIMITS.textBytes} bytes of UTF-8.`,
    maxLength: LIMITS.textBytes,
    example: '{"height":720}',
  })
  @ToText()
  @Follows(textRule)
  @IsOptional()
  args?: string;

  @ApiPropertyOptional({
    description: `Kind of work: what workers filter by; at most ${LIMITS.nameLength} characters. Absent: the default service.`,
    minLength: 1,
    maxLength: LIMITS.nameLength,
    example: 'transcode',
  })
  @ToText()
  @Follows(nameRule)
  @IsOptional()
  service?: string;

  @ApiPropertyOptional({
    description: `Narrows what a worker claims within the service; at most ${LIMITS.nameLength} characters.`,
    minLength: 1,
    maxLength: LIMITS.nameLength,
    example: 'gpu-large',
  })
  @ToText()
  @Follows(nameRule)
  @IsOptional()
  group?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Lower is claimed first; the same: oldest first.',
    minimum: LIMITS.priority.min,
    maximum: LIMITS.priority.max,
    default: 0,
    example: -5,
  })
  @Follows(priorityRule)
  @ToInteger()
  @IsOptional()
  priority?: number;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Ready from then on, and waiting until then: ISO 8601 with its zone.',
    example: '2026-12-24T18:00:00+01:00',
  })
  @Follows(timeRule)
  @IsOptional()
  runAt?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Attempts until the task has failed for good. Absent: as the configuration says.',
    minimum: LIMITS.maxAttempts.min,
    maximum: LIMITS.maxAttempts.max,
    example: 5,
  })
  @Follows(maxAttemptsRule)
  @ToInteger()
  @IsOptional()
  maxAttempts?: number;

  /** From the header Idempotency-Key. */
  @Follows(keyRule)
  @IsOptional()
  idempotencyKey?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'INIT for a draft (the default), BEGIN for a task that is ready to be claimed.',
    example: 10,
  })
  @IsInt({ message: 'status must be an integer' })
  @ToInteger()
  @IsOptional()
  status?: number;
}
