import { ApiSchema } from '@nestjs/swagger';
import { Field } from '../../validation/field.js';
import { batchIdRule, BOUNDS, eventIdRule, nameRule, watchedIdsRule } from '../../validation/rules.js';

const NEWEST = `The newest ${BOUNDS.ids} tasks of`;

@ApiSchema({ name: 'watchTasks' })
export class WatchTasksDto {
  @Field(watchedIdsRule, {
    description:
      `Only these tasks, at most ${BOUNDS.ids}: ids with commas in between, or the JSON text of a list. A URL holds about ` +
      '200 ids. Not allowed together with `service`, `group` or `batchId`.',
  })
  ids?: string[];

  @Field(nameRule, { description: `${NEWEST} this service, and new ones.` })
  service?: string;

  @Field(nameRule, { description: `${NEWEST} this group, and new ones.` })
  group?: string;

  @Field(batchIdRule, { description: `${NEWEST} this batch, and new ones.` })
  batchId?: string;

  @Field(eventIdRule, { description: 'The same as the header Last-Event-ID, for clients that cannot send it.' })
  lastEventId?: string;
}
