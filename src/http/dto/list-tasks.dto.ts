import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { BOUNDS, cursorRule, idsRule, nameRule, pageRule, pageSizeRule, statusRule } from '../../validation/rules.js';
import { Field, toInteger, toList } from '../../validation/field.js';

@ApiSchema({ name: 'listTasks' })
export class ListTasksDto {
  @ApiPropertyOptional({
    type: 'integer',
    description: 'Number of the page, from 1, which is the default. Not allowed together with `cursor`.',
    minimum: 1,
    maximum: BOUNDS.page,
  })
  @Field(pageRule, { to: toInteger })
  page?: number;

  @ApiPropertyOptional({
    type: 'integer',
    description: `Tasks on a page, at most ${BOUNDS.pageSize}: the size of a page, not its number.`,
    minimum: 1,
    maximum: BOUNDS.pageSize,
    default: 10,
  })
  @Field(pageSizeRule, { to: toInteger })
  pageNum?: number;

  @ApiPropertyOptional({
    description:
      'The `nextCursor` of the page before, instead of `page`. New tasks do not shift the pages, and a deep page costs ' +
      'no more than the first one.',
    maxLength: BOUNDS.cursorLength,
  })
  @Field(cursorRule)
  cursor?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Only tasks in this status.',
    minimum: BOUNDS.status.min,
    maximum: BOUNDS.status.max,
  })
  @Field(statusRule, { to: toInteger })
  status?: number;

  @ApiPropertyOptional({
    description: `Only tasks of this group; at most ${BOUNDS.nameLength} characters.`,
    minLength: 1,
    maxLength: BOUNDS.nameLength,
  })
  @Field(nameRule)
  group?: string;

  @ApiPropertyOptional({
    description: `Only tasks of this service; at most ${BOUNDS.nameLength} characters.`,
    minLength: 1,
    maxLength: BOUNDS.nameLength,
  })
  @Field(nameRule)
  service?: string;

  @ApiPropertyOptional({
    oneOf: [
      { type: 'array', items: { type: 'string' }, maxItems: BOUNDS.ids },
      { type: 'string', description: 'JSON text of such a list.' },
    ],
    description:
      `Only these tasks, all of them, without paging: at most ${BOUNDS.ids} ids, as a list, or in forms and queries as its ` +
      'JSON text. A URL holds about 200 ids; send more in a body, with POST.',
  })
  @Field(idsRule, { to: toList })
  ids?: string[];
}
