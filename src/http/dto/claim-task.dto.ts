import { ApiSchema } from '@nestjs/swagger';
import { Field } from '../../validation/field.js';
import {
  anyIdRule,
  anyRule,
  claimLimitRule,
  keyRule,
  leaseRule,
  nameRule,
  waitRule,
  workerIdRule,
} from '../../validation/rules.js';

@ApiSchema({ name: 'claimTask' })
export class ClaimTaskDto {
  @Field(nameRule, { description: 'Claims only tasks of this service.' })
  service?: string;

  @Field(nameRule, { description: 'Claims only tasks of this group.' })
  group?: string;

  @Field(anyIdRule, { description: 'Claims this task, if it is ready.' })
  taskId?: unknown;

  @Field(leaseRule, {
    description:
      'Length of the lease in seconds: the claim ends unless a report renews it. If absent, the configuration decides.',
    example: 300,
  })
  lease?: number;

  @Field(claimLimitRule, {
    description:
      'Claims at most this number of tasks, 1 if absent; fewer if they are large, because an answer holds at most 8 MiB. ' +
      'With it, `data` is always `{"list":[…]}`. 0 withdraws the claim with this Idempotency-Key, even while it waits: ' +
      'the answer holds the tasks that it has taken, and it takes no more.',
  })
  limit?: number;

  @Field(waitRule, {
    description: 'Seconds to wait for a task if none is ready. The answer comes as soon as there is one.',
    default: 0,
  })
  wait?: number;

  @Field(workerIdRule, { description: 'Name of the worker: free text, stored with the task.' })
  workerId?: string;

  /** Alias of the header Idempotency-Key, only for handlers of a host. */
  @Field(keyRule) idempotencyKey?: string;

  /** A digest of the worker's credential, which the Idempotency-Key belongs to. Only for handlers of a host. */
  @Field(anyRule) credential?: string;
}
