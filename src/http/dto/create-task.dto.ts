import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsDefined, IsInt, IsOptional } from 'class-validator';
import { LIMITS, nameRule, textRule } from '../../core/rules.js';
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
    type: 'integer',
    description: 'INIT for a draft (the default), BEGIN for a task that is ready to be claimed.',
    example: 10,
  })
  @IsInt({ message: 'status must be an integer' })
  @ToInteger()
  @IsOptional()
  status?: number;
}
