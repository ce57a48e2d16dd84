import { ApiSchema } from '@nestjs/swagger';
import { Field, Writes } from '../../validation/field.js';
import { anyRule, keyRule } from '../../validation/rules.js';
import { uniqueRule } from '../../validation/unique.rule.js';
import type { Unique } from '../../queue/unique.js';

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

  @Field(uniqueRule, {
    description:
      'At most one task of the owner in the service holds the key. If another one does, nothing is created: the answer ' +
      'is that task, with `duplicate`. In forms: its JSON text.',
  })
  unique?: Unique;

  /** Alias of the header Idempotency-Key, only for handlers of a host. */
  @Field(keyRule) idempotencyKey?: string;

  /** The header traceparent, only for handlers of a host. A malformed one counts as absent. */
  @Field(anyRule) traceparent?: string;

  @Writes('create') status?: number;
}
