import { ApiSchema } from '@nestjs/swagger';
import { Field } from '../../validation/field.js';
import {
  batchIdRule,
  BOUNDS,
  cursorRule,
  errorBeginRule,
  idsRule,
  nameRule,
  pageSizeRule,
  scheduleKeyRule,
  statusRule,
  timeRule,
  userIdRule,
  workerIdRule,
} from '../../validation/rules.js';

/** A search over the tasks of all owners. Every condition must hold. */
@ApiSchema({ name: 'operatorListTasks' })
export class OperatorListDto {
  @Field(statusRule, { description: 'Only tasks in this status.' })
  status?: number;

  @Field(nameRule, { description: 'Only tasks of this service.' })
  service?: string;

  @Field(nameRule, { description: 'Only tasks of this group.' })
  group?: string;

  @Field(userIdRule, { description: 'Only tasks of this owner.' })
  userId?: string;

  @Field(workerIdRule, { description: 'Only tasks that this worker took last.' })
  workerId?: string;

  @Field(scheduleKeyRule, { description: 'Only tasks of schedules with this key.' })
  scheduleKey?: string;

  @Field(batchIdRule, { description: 'Only tasks of this batch.' })
  batchId?: string;

  @Field(errorBeginRule, {
    description: 'How the error of the last attempt begins. The case of letters does not matter.',
  })
  error?: string;

  @Field(idsRule, {
    description: `Only these tasks: at most ${BOUNDS.ids} ids, as a list, or in forms and queries as its JSON text.`,
  })
  ids?: string[];

  @Field(timeRule, { description: 'Only tasks created at this time or later: ISO 8601 with its zone.' })
  createdFrom?: string;

  @Field(timeRule, { description: 'Only tasks created before this time.' })
  createdTo?: string;

  @Field(pageSizeRule, { description: 'The most tasks of one answer.', default: 50 })
  pageNum?: number;

  @Field(cursorRule, { description: 'The `nextCursor` of the answer before.' })
  cursor?: string;
}
