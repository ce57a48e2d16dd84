import { ApiSchema } from '@nestjs/swagger';
import { Field, Writes } from '../../validation/field.js';
import { booleanRule, delayRule, leaseRule, pauseRule, tokenRule } from '../../validation/rules.js';

@ApiSchema({ name: 'reportTask' })
export class ReportTaskDto {
  @Field(tokenRule, {
    description:
      'The token of the claim. It may be in the header Lease-Token instead. Only claims in the legacy form need none.',
  })
  leaseToken?: string;

  @Writes('report') progress?: number;
  @Writes('report') status?: number;
  @Writes('report') temp?: string;
  @Writes('report') output?: string;
  @Writes('report') error?: string;

  @Field(leaseRule, { description: 'Length of the lease in seconds, from now on. If absent, it stays as it is.' })
  lease?: number;

  @Field(booleanRule, {
    description: 'With status ERROR: the task runs again after a back-off, if it has attempts left.',
  })
  retry?: boolean;

  @Field(delayRule, {
    description:
      'Seconds until the next attempt, if the task is retried or given back. If absent, the back-off decides.',
  })
  delay?: number;

  @Field(pauseRule, {
    description:
      'Pauses the service of the task for this number of seconds, for all workers: for example because an API answers 429. It ' +
      'never shortens a pause.',
  })
  pauseService?: number;
}
