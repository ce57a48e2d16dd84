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
    description: `Claims only tasks of this service; at most ${BOUNDS.nameLength} characters.`,
    minLength: 1,
    maxLength: BOUNDS.nameLength,
  })
  @Field(nameRule, { to: toText })
  service?: string;

  @ApiPropertyOptional({
    description: `Claims only tasks of this group; at most ${BOUNDS.nameLength} characters.`,
    minLength: 1,
    maxLength: BOUNDS.nameLength,
  })
  @Field(nameRule, { to: toText })
  group?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Claims this task, if it is ready.',
    maxLength: 36,
  })
  @Field(anyRule)
  taskId?: unknown;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      'Length of the lease in seconds: the claim ends unless a report renews it. If absent, the configuration decides.',
    minimum: BOUNDS.lease.min,
    maximum: BOUNDS.lease.max,
    example: 300,
  })
  @Field(leaseRule, { to: toInteger })
  lease?: number;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      'Claims at most this number of tasks; `data` is then always `{"list":[…]}`. 0 withdraws the claim with this ' +
      'Idempotency-Key, even while it waits: the answer holds the tasks that it has taken, and it takes no more.',
    minimum: 0,
    maximum: BOUNDS.claims,
  })
  @Field(claimLimitRule, { to: toInteger })
  limit?: number;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Seconds to wait for a task if none is ready. The answer comes as soon as there is one.',
    minimum: 0,
    maximum: BOUNDS.wait,
    default: 0,
  })
  @Field(waitRule, { to: toInteger })
  wait?: number;

  @ApiPropertyOptional({
    description: `Name of the worker: free text of at most ${BOUNDS.workerIdLength} characters, stored with the task.`,
    minLength: 1,
    maxLength: BOUNDS.workerIdLength,
  })
  @Field(workerIdRule, { to: toText })
  workerId?: string;

  /** Alias of the header Idempotency-Key, only for handlers of a host. */
  @Field(keyRule)
  idempotencyKey?: string;

  /** A digest of the worker's credential, which the Idempotency-Key belongs to. Only for handlers of a host. */
  @Field(anyRule)
  credential?: string;
}
