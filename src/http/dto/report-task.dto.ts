import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsBoolean, IsInt, IsOptional } from 'class-validator';
import { delayRule, leaseRule, LIMITS, progressRule, textRule, tokenRule } from '../../core/rules.js';
import { Follows, ToBoolean, ToInteger, ToText } from '../input.js';

@ApiSchema({ name: 'reportTask' })
export class ReportTaskDto {
  @ApiPropertyOptional({
    description:
      "The claim's token; the header Lease-Token says the same. Only claims of the original's form need none.",
    minLength: 1,
    maxLength: 36,
    example: 'b7e23ec2-9f0b-4c1e-8a45-3d1f5f2c6a10',
  })
  @Follows(tokenRule)
  @IsOptional()
  leaseToken?: string;

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

  @ApiPropertyOptional({
    description: `Why it failed; at most ${LIMITS.textBytes} bytes of UTF-8.`,
    maxLength: LIMITS.textBytes,
    example: 'CUDA out of memory',
  })
  @ToText()
  @Follows(textRule)
  @IsOptional()
  error?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Seconds that the lease holds from now on. Absent: as long as before.',
    minimum: LIMITS.lease.min,
    maximum: LIMITS.lease.max,
    example: 60,
  })
  @Follows(leaseRule)
  @ToInteger()
  @IsOptional()
  lease?: number;

  @ApiPropertyOptional({
    description: 'With status ERROR: another attempt may mend it, after a back-off, while attempts are left.',
    example: true,
  })
  @IsBoolean({ message: 'retry must be true or false' })
  @ToBoolean()
  @IsOptional()
  retry?: boolean;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Seconds until the next attempt, with a retry or a give-back. Absent: the back-off.',
    minimum: 0,
    maximum: LIMITS.delay,
    example: 30,
  })
  @Follows(delayRule)
  @ToInteger()
  @IsOptional()
  delay?: number;
}
