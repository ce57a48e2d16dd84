import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsInt, IsOptional } from 'class-validator';
import { LIMITS, progressRule, textRule } from '../../core/rules.js';
import { Follows, ToInteger, ToText } from '../input.js';

@ApiSchema({ name: 'reportTask' })
export class ReportTaskDto {
  @ApiPropertyOptional({
    type: 'integer',
    description: 'Percent done, from 0. Above 100 counts as 100.',
    minimum: 0,
    example: 50,
  })
  @Follows(progressRule)
  @ToInteger()
  @IsOptional()
  progress?: number;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      "START or a status of the host's own while in progress, FINISHED or ERROR at the end, BEGIN to give the task back.",
    example: 20,
  })
  @IsInt({ message: 'status must be an integer' })
  @ToInteger()
  @IsOptional()
  status?: number;

  @ApiPropertyOptional({
    description: `Intermediate data for the next step; at most ${LIMITS.textBytes} bytes of UTF-8.`,
    maxLength: LIMITS.textBytes,
    example: 'frame 1200',
  })
  @ToText()
  @Follows(textRule)
  @IsOptional()
  temp?: string;

  @ApiPropertyOptional({
    description: `The result, e.g. an object-storage id; at most ${LIMITS.textBytes} bytes of UTF-8.`,
    maxLength: LIMITS.textBytes,
    example: 's3://bucket/out.mp4',
  })
  @ToText()
  @Follows(textRule)
  @IsOptional()
  output?: string;
}
