import { ApiSchema } from '@nestjs/swagger';
import { Field } from '../../validation/field.js';
import { BOUNDS, cursorRule, idsRule, nameRule, pageRule, pageSizeRule, statusRule } from '../../validation/rules.js';

@ApiSchema({ name: 'listTasks' })
export class ListTasksDto {
  @Field(pageRule, { description: 'Number of the page, the first one by default. Not allowed together with `cursor`.' })
  page?: number;

  @Field(pageSizeRule, { description: 'Tasks on a page: the size of a page, not its number.', default: 10 })
  pageNum?: number;

  @Field(cursorRule, {
    description:
      'The `nextCursor` of the page before, instead of `page`. New tasks do not shift the pages, and a deep page costs ' +
      'no more than the first one.',
  })
  cursor?: string;

  @Field(statusRule, { description: 'Only tasks in this status.' })
  status?: number;

  @Field(nameRule, { description: 'Only tasks of this group.' })
  group?: string;

  @Field(nameRule, { description: 'Only tasks of this service.' })
  service?: string;

  @Field(idsRule, {
    description:
      `Only these tasks, all of them, without paging: at most ${BOUNDS.ids} ids, as a list, or in forms and queries as its ` +
      'JSON text. A URL holds about 200 ids; send more in a body, with POST.',
  })
  ids?: string[];
}
