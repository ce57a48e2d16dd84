import { ApiSchema } from '@nestjs/swagger';
import { BULK_ACTIONS, type BulkAction } from '../../queue/use-cases/change-many.js';
import type { TaskFilterOptions } from '../../queue/use-cases/search.js';
import { objectRule, oneOf } from '../../validation/choice.rules.js';
import { Field } from '../../validation/field.js';
import { booleanRule, callbackLimitRule, cursorRule } from '../../validation/rules.js';

/** A change of many tasks. */
@ApiSchema({ name: 'bulk' })
export class BulkDto {
  @Field(oneOf(BULK_ACTIONS), {
    description:
      '`retry` runs failed and cancelled tasks again, `cancel` cancels tasks that have not ended, `delete` deletes ' +
      'tasks that no worker holds.',
    example: 'retry',
    required: true,
  })
  action!: BulkAction;

  @Field(objectRule, {
    description:
      'Which tasks, with the names and values of a list. An empty filter needs `all`. In forms: its JSON text.',
    example: { status: -10 },
  })
  filter?: TaskFilterOptions;

  @Field(booleanRule, { description: 'Really all tasks.' })
  all?: boolean;

  @Field(booleanRule, { description: 'Changes nothing: only counts the tasks.' })
  dryRun?: boolean;
}

/** A change of a bulk that is being worked off. */
@ApiSchema({ name: 'bulkChange' })
export class BulkChangeDto {
  @Field(booleanRule, { description: 'Stops it. What was done stays done.', example: true })
  abort?: boolean;
}

@ApiSchema({ name: 'listBulks' })
export class ListBulksDto {
  @Field(callbackLimitRule, { description: 'The most bulks.', default: 50 })
  limit?: number;

  @Field(cursorRule, { description: 'The `nextCursor` of the answer before.' })
  cursor?: string;
}
