import type { Type } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, type ApiPropertyOptions, ApiSchema, OmitType } from '@nestjs/swagger';
import { RUN_ON } from '../../batches/batch.js';
import { BOUNDS, type PriorityRange } from '../../validation/rules.js';
import { SWAGGER } from '../binding/nest-internals.js';
import { AddToBatchDto, CreateBatchDto } from '../dto/batch.dto.js';
import type { CreateTaskDto } from '../dto/create-task.dto.js';
import { type StatusDoc, withPriority } from './documented.js';

/** The bodies that hold tasks of batches, with what a create takes in this registration. */
export function batchSchemas(Create: Type, suffix: string, priority: PriorityRange, status: StatusDoc): [Type, Type][] {
  class LinkedTask extends OmitType(Create as Type<CreateTaskDto>, ['status']) {
    @ApiPropertyOptional({ description: 'Its name, for `dependsOn` of others.', maxLength: BOUNDS.refLength })
    declare ref?: string;
    @ApiPropertyOptional({
      type: [String],
      description: 'The tasks of this request that have to end first, by their `ref`. It is WAITING until then.',
    })
    declare dependsOn?: string[];
    @ApiPropertyOptional({
      enum: RUN_ON,
      description:
        'If one of them fails or is cancelled: `finished` (the default) lets this task fail with DEPENDENCY_FAILED, ' +
        '`ended` runs it nevertheless.',
    })
    declare runOn?: string;
    @ApiPropertyOptional({ ...status, type: 'integer' })
    declare status?: number;
  }
  ApiSchema({ name: `batchTask${suffix}` })(LinkedTask);
  class FollowingTask extends OmitType(Create as Type<CreateTaskDto>, ['status', 'runAt']) {}
  ApiSchema({ name: `thenTask${suffix}` })(FollowingTask);
  const tasks = known(CreateBatchDto, 'tasks', { type: [withPriority(LinkedTask, priority)], items: undefined });
  const then = known(CreateBatchDto, 'then', { type: withPriority(FollowingTask, priority) });
  class NewBatch extends OmitType(CreateBatchDto, ['tasks', 'then']) {
    @ApiProperty(tasks)
    declare tasks: unknown[];
    @ApiPropertyOptional(then)
    declare then?: unknown;
  }
  ApiSchema({ name: `createBatch${suffix}` })(NewBatch);
  class MoreTasks {
    @ApiProperty(tasks)
    declare tasks: unknown[];
  }
  ApiSchema({ name: `addToBatch${suffix}` })(MoreTasks);
  return [
    [CreateBatchDto, NewBatch],
    [AddToBatchDto, MoreTasks],
  ];
}

/** What a DTO documents of a property, with this instead. */
const known = (Dto: Type, property: string, instead: object): ApiPropertyOptions => {
  const { description, example } = Reflect.getMetadata(
    SWAGGER.property,
    Dto.prototype as object,
    property,
  ) as ApiPropertyOptions & { description: string; example: unknown };
  return { description, example, ...instead } as ApiPropertyOptions;
};
