import type { Type } from '@nestjs/common';
import { IntersectionType, PartialType } from '@nestjs/swagger';
import type { RouteStructure } from '../http.options.js';
import { CreateTaskDto } from './create-task.dto.js';
import { UpdateTaskDto } from './update-task.dto.js';

/** The DTOs that a host may add fields to. Each registration has its own pair. */
export interface TaskDtos {
  create: Type<CreateTaskDto>;
  update: Type<UpdateTaskDto>;
}

/** Our fields and those of the host: at creation as its DTO declares them, in an update each is optional. */
export function createDtos({ dto }: RouteStructure): TaskDtos {
  if (!dto) return { create: CreateTaskDto, update: UpdateTaskDto };
  return {
    create: IntersectionType(CreateTaskDto, dto),
    update: IntersectionType(UpdateTaskDto, PartialType(dto)),
  };
}
