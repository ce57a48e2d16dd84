import type { Type } from '@nestjs/common';
import { IntersectionType, PartialType } from '@nestjs/swagger';
import type { RouteStructure } from '../http.options.js';
import { CreateTaskDto } from './create-task.dto.js';
import { UpdateTaskDto } from './update-task.dto.js';

/** The DTOs that a host's own fields go into, one pair a registration. */
export interface TaskDtos {
  create: Type<CreateTaskDto>;
  update: Type<UpdateTaskDto>;
}

/** Our fields and the host's: as it says at creation, each optional afterwards. */
export function createDtos({ dto }: RouteStructure): TaskDtos {
  if (!dto) return { create: CreateTaskDto, update: UpdateTaskDto };
  return {
    create: IntersectionType(CreateTaskDto, dto),
    update: IntersectionType(UpdateTaskDto, PartialType(dto)),
  };
}
