import type { Type } from '@nestjs/common';
import { ApiSchema, IntersectionType, PartialType } from '@nestjs/swagger';
import type { TaskStructure } from '../../task.options.js';
import { CreateTaskDto } from './create-task.dto.js';
import { UpdateTaskDto } from './update-task.dto.js';

/** The DTOs that a host's own fields go into, one pair a registration. */
export interface TaskDtos {
  create: Type<CreateTaskDto>;
  update: Type<UpdateTaskDto>;
}

/** Our fields and the host's: as it says at creation, each optional afterwards. */
export function createDtos({ dto, name }: TaskStructure): TaskDtos {
  if (!dto) return { create: CreateTaskDto, update: UpdateTaskDto };
  const suffix = name === 'default' ? '' : `_${name}`;
  const create = IntersectionType(CreateTaskDto, dto);
  const update = IntersectionType(UpdateTaskDto, PartialType(dto));
  ApiSchema({ name: `createTask${suffix}` })(create);
  ApiSchema({ name: `updateTask${suffix}` })(update);
  return { create, update };
}
