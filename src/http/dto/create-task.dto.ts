import { ApiSchema } from '@nestjs/swagger';
import { Field, Writes } from '../../validation/field.js';
import { anyRule, keyRule } from '../../validation/rules.js';

@ApiSchema({ name: 'createTask' })
export class CreateTaskDto {
  @Writes('create') input!: string;
  @Writes('create') args?: string;
  @Writes('create') service?: string;
  @Writes('create') group?: string;
  @Writes('create') priority?: number;
  @Writes('create') runAt?: string;
  @Writes('create') maxAttempts?: number;
  @Writes('create') callbackUrl?: string;

  /** Alias of the header Idempotency-Key, only for handlers of a host. */
  @Field(keyRule) idempotencyKey?: string;

  /** The header traceparent, only for handlers of a host. A malformed one counts as absent. */
  @Field(anyRule) traceparent?: string;

  @Writes('create') status?: number;
}
