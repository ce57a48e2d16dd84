import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { BOUNDS, cursorRule, idsRule, nameRule, pageRule, pageSizeRule, statusRule } from '../../validation/rules.js';
import { Field, toInteger, toList } from '../../validation/field.js';

@ApiSchema({ name: 'listTasks' })
export class ListTasksDto {
  @ApiPropertyOptional({
    type: 'integer',
    description: 'Page, from 1, which is the default. Not together with `cursor`.',
    minimum: 1,
    maximum: BOUNDS.page,
  })
  @Field(pageRule, { to: toInteger })
  page?: number;

  @ApiPropertyOptional({
    type: 'integer',
    description: `Tasks on a page, at most ${BOUNDS.pageSize}: the size, not a number of a page.`,
    minimum: 1,
    maximum: BOUNDS.pageSize,
    default: 10,
  })
  @Field(pageSizeRule, { to: toInteger })
  pageNum?: number;

  @ApiPropertyOptional({
    description:
      'What the page before answered as `nextCursor`, instead of `page`: stays in place while tasks are added, and ' +
      'costs the same at any depth.',
    maxLength: BOUNDS.cursorLength,
  })
  @Field(cursorRule)
  cursor?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Tasks in this status only.',
    minimum: BOUNDS.status.min,
    maximum: BOUNDS.status.max,
  })
  @Field(statusRule, { to: toInteger })
  status?: number;

  @ApiPropertyOptional({
    description: `Tasks of this group only; at most ${BOUNDS.nameLength} characters.`,
    minLength: 1,
    maxLength: BOUNDS.nameLength,
  })
  @Field(nameRule)
  group?: string;

  @ApiPropertyOptional({
    description: `Tasks of this service only; at most ${BOUNDS.nameLength} characters.`,
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
      `These tasks only, and all of them, without paging: at most ${BOUNDS.ids} ids, a list, or in forms and queries its ` +
      'JSON text. More than about 200 do not fit in a URL: send them in a body, by POST.',
  })
  @Field(idsRule, { to: toList })
  ids?: string[];
}
