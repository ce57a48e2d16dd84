import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import {
  BOUNDS,
  booleanRule,
  delayRule,
  leaseRule,
  progressRule,
  textRule,
  tokenRule,
  wholeRule,
} from '../../validation/rules.js';
import { Field, toBoolean, toInteger, toText } from '../../validation/field.js';

@ApiSchema({ name: 'reportTask' })
export class ReportTaskDto {
  @ApiPropertyOptional({
    description:
      'The token of the claim. It may be in the header Lease-Token instead. Only claims in the legacy form need none.',
    minLength: 1,
    maxLength: 36,
  })
  @Field(tokenRule)
  leaseToken?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Percent done, from 0. A value above 100 counts as 100.',
    minimum: 0,
    example: 50,
  })
  @Field(progressRule, { to: toInteger })
  progress?: number;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      'START or a status of the host while in progress, FINISHED or ERROR at the end, BEGIN to give the task back.',
  })
  @Field(wholeRule, { to: toInteger })
  status?: number;

  @ApiPropertyOptional({
    description: `Intermediate data for the next step; at most ${BOUNDS.textBytes} bytes of UTF-8.`,
    maxLength: BOUNDS.textBytes,
  })
  @Field(textRule, { to: toText })
  temp?: string;

  @ApiPropertyOptional({
    description: `The result, e.g. an object-storage id; at most ${BOUNDS.textBytes} bytes of UTF-8.`,
    maxLength: BOUNDS.textBytes,
  })
  @Field(textRule, { to: toText })
  output?: string;

  @ApiPropertyOptional({
    description: `Why it failed; at most ${BOUNDS.textBytes} bytes of UTF-8.`,
    maxLength: BOUNDS.textBytes,
  })
  @Field(textRule, { to: toText })
  error?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Length of the lease in seconds, from now on. If absent, it stays as it is.',
    minimum: BOUNDS.lease.min,
    maximum: BOUNDS.lease.max,
  })
  @Field(leaseRule, { to: toInteger })
  lease?: number;

  @ApiPropertyOptional({
    description: 'With status ERROR: the task runs again after a back-off, if it has attempts left.',
  })
  @Field(booleanRule, { to: toBoolean })
  retry?: boolean;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      'Seconds until the next attempt, if the task is retried or given back. If absent, the back-off decides.',
    minimum: 0,
    maximum: BOUNDS.delay,
  })
  @Field(delayRule, { to: toInteger })
  delay?: number;
}
