import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { LIMITS, cursorRule, idsRule, nameRule, pageRule, pageSizeRule, statusRule } from '../../core/rules.js';
import { Field, toInteger, toList } from '../field.js';

@ApiSchema({ name: 'listTasks' })
export class ListTasksDto {
  @ApiPropertyOptional({
    type: 'integer',
    description: 'Page, from 1.',
    minimum: 1,
    maximum: LIMITS.page,
    default: 1,
    example: 1,
  })
  @Field(pageRule, { to: toInteger })
  page?: number;

  @ApiPropertyOptional({
    type: 'integer',
    description: `Tasks on a page, at most ${LIMITS.pageSize}: the size, not a number of a page.`,
    minimum: 1,
    maximum: LIMITS.pageSize,
    default: 10,
    example: 10,
  })
  @Field(pageSizeRule, { to: toInteger })
  pageNum?: number;

  @ApiPropertyOptional({
    description:
      'What the page before answered as `nextCursor`, instead of `page`: stays in place while tasks are added, and ' +
      'costs the same at any depth.',
    maxLength: LIMITS.cursorLength,
    example: 'WyIyMDI2LTExLTI0IDA5OjMwOjAwLjAwMDAwMCIsIjAxOWFiMWYwIl0',
  })
  @Field(cursorRule)
  cursor?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Tasks in this status only.',
    minimum: LIMITS.status.min,
    maximum: LIMITS.status.max,
    example: 20,
  })
  @Field(statusRule, { to: toInteger })
  status?: number;

  @ApiPropertyOptional({
    description: `Tasks of this group only; at most ${LIMITS.nameLength} characters.`,
    minLength: 1,
    maxLength: LIMITS.nameLength,
    example: 'gpu-large',
  })
  @Field(nameRule)
  group?: string;

  @ApiPropertyOptional({
    description: `Tasks of this service only; at most ${LIMITS.nameLength} characters.`,
    minLength: 1,
    maxLength: LIMITS.nameLength,
    example: 'transcode',
  })
  @Field(nameRule)
  service?: string;

  @ApiPropertyOptional({
    type: String,
    description: `These tasks only, and all of them, without paging: JSON text of at most ${LIMITS.ids} ids.`,
    example: '["019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c"]',
  })
  @Field(idsRule, { to: toList })
  ids?: string[];
}
