import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import {
  BOUNDS,
  anyRule,
  claimLimitRule,
  keyRule,
  leaseRule,
  nameRule,
  waitRule,
  workerIdRule,
} from '../../validation/rules.js';
import { Field, toInteger, toText } from '../../validation/field.js';

@ApiSchema({ name: 'claimTask' })
export class ClaimTaskDto {
  @ApiPropertyOptional({
    description: `Tasks of this service only; at most ${BOUNDS.nameLength} characters.`,
    minLength: 1,
    maxLength: BOUNDS.nameLength,
  })
  @Field(nameRule, { to: toText })
  service?: string;

  @ApiPropertyOptional({
    description: `Tasks of this group only; at most ${BOUNDS.nameLength} characters.`,
    minLength: 1,
    maxLength: BOUNDS.nameLength,
  })
  @Field(nameRule, { to: toText })
  group?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'This task, if it is ready.',
    maxLength: 36,
  })
  @Field(anyRule)
  taskId?: unknown;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Seconds that the claim holds without a report. Absent: as the configuration says.',
    minimum: BOUNDS.lease.min,
    maximum: BOUNDS.lease.max,
    example: 300,
  })
  @Field(leaseRule, { to: toInteger })
  lease?: number;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      'Up to so many tasks: `data` is then `{"list":[…]}`, always a list. 0 withdraws the claim with this ' +
      'Idempotency-Key, wherever it waits: the answer is what it has taken, and it takes nothing more.',
    minimum: 0,
    maximum: BOUNDS.claims,
  })
  @Field(claimLimitRule, { to: toInteger })
  limit?: number;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Seconds to wait for a task where there is none: the answer comes as soon as there is one.',
    minimum: 0,
    maximum: BOUNDS.wait,
    default: 0,
  })
  @Field(waitRule, { to: toInteger })
  wait?: number;

  @ApiPropertyOptional({
    description: `Who the worker is: free text of at most ${BOUNDS.workerIdLength} characters, kept with the task.`,
    minLength: 1,
    maxLength: BOUNDS.workerIdLength,
  })
  @Field(workerIdRule, { to: toText })
  workerId?: string;

  /** Alias of the header Idempotency-Key, for a host's own handlers alone. */
  @Field(keyRule)
  idempotencyKey?: string;

  /** Whose key it is, for a host's own handlers alone: a digest of what the worker came in with. */
  @Field(anyRule)
  credential?: string;
}
