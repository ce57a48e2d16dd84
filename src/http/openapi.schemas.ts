import type { Type } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import type { TaskStatusCatalogue } from '../contract/status.js';
import { LifeCycle } from '../core/life-cycle.js';
import type { TaskStructure } from '../task.options.js';
import type { AnswerKind } from './route-table.js';
import type { TaskDtos } from './dto/index.js';
import { ReportTaskDto } from './dto/report-task.dto.js';
import type { Schema } from './openapi.envelope.js';

/** What one registration shows in the OpenAPI document. */
export interface TaskSchemas {
  /** Keeps the names of a second registration apart from the first one's; empty for the default one. */
  suffix: string;
  task: Type;
  cronTask: Type;
  /** A DTO as it is documented: with this registration's statuses. */
  bodyOf(dto: Type): Type;
}

/**
 * Classes below the host's entity and below the DTOs: the host's columns are documented with ours, each status comes
 * with its integers, and neither the host's classes nor ours are written to.
 */
export function createSchemas(structure: TaskStructure, dtos: TaskDtos): TaskSchemas {
  const { name, status } = structure;
  const suffix = name === 'default' ? '' : `_${name}`;
  const { task, cronTask } = taskSchemas(structure, suffix);
  const bodies = new Map<Type, Type>([
    [dtos.create, withStatus(dtos.create, `createTask${suffix}`, userStatus(status, 'INIT'))],
    [dtos.update, withStatus(dtos.update, `updateTask${suffix}`, userStatus(status, 'BEGIN'))],
    [ReportTaskDto, withStatus(ReportTaskDto, `reportTask${suffix}`, workerStatus(status))],
  ]);
  return { suffix, task, cronTask, bodyOf: (dto) => bodies.get(dto) ?? dto };
}

function taskSchemas({ entity, status }: TaskStructure, suffix: string): { task: Type; cronTask: Type } {
  class TaskSchema extends entity {
    @ApiProperty({
      type: 'integer',
      description: `Where the task is in its life: ${named(status, Object.values(status))}.`,
      example: status.BEGIN,
    })
    declare status: number;
  }
  ApiSchema({ name: `task${suffix}` })(TaskSchema);
  class WorkerTaskSchema extends TaskSchema {
    @ApiProperty({
      description: "The callback's address; empty where there is none.",
      example: 'https://example.org/done',
    })
    declare callbackUrl: string;
  }
  ApiSchema({ name: `workerTask${suffix}` })(WorkerTaskSchema);
  class CronTaskSchema {
    @ApiProperty({ type: WorkerTaskSchema })
    declare task: unknown;
    @ApiProperty({
      description: "The callback's address, under the original's name for it; empty where there is none.",
      example: 'https://example.org/done',
    })
    declare updateUrl: string;
  }
  ApiSchema({ name: `cronTask${suffix}` })(CronTaskSchema);
  return { task: TaskSchema, cronTask: CronTaskSchema };
}

interface StatusDoc {
  description: string;
  enum: number[];
  example: number;
}

function withStatus(Dto: Type, name: string, doc: StatusDoc): Type {
  class Documented extends Dto {
    @ApiPropertyOptional({ ...doc, type: 'integer' })
    declare status?: number;
  }
  ApiSchema({ name })(Documented);
  return Documented;
}

function userStatus(status: TaskStatusCatalogue, absent: 'INIT' | 'BEGIN'): StatusDoc {
  const preset = absent === 'INIT' ? ` Absent: ${status.INIT}.` : '';
  return {
    description: `${status.INIT} INIT for a draft, ${status.BEGIN} BEGIN for a task that is ready to be claimed.${preset}`,
    enum: new LifeCycle(status).userStatuses,
    example: status.BEGIN,
  };
}

function workerStatus(status: TaskStatusCatalogue): StatusDoc {
  const allowed = new LifeCycle(status).workerStatuses;
  return {
    description:
      `${named(status, allowed)}: FINISHED or ERROR at the end, BEGIN to give the task back, ` +
      'any other while in progress. Absent: it stays.',
    enum: allowed,
    example: status.FINISHED,
  };
}

const named = (status: TaskStatusCatalogue, values: number[]): string =>
  Object.entries(status)
    .filter(([, value]) => values.includes(value))
    .map(([name, value]) => `${value} ${name}`)
    .join(', ');

/** The schema of an answer's data. */
export function dataOf(answer: AnswerKind, { suffix }: TaskSchemas): Schema {
  const task = { $ref: getSchemaPath(`task${suffix}`) };
  const cronTask = { $ref: getSchemaPath(`cronTask${suffix}`) };
  switch (answer) {
    case 'list':
      return object({ list: { type: 'array', description: 'The tasks, newest first.', items: task } });
    case 'removal':
      return object({
        deleted: { type: 'array', description: 'Ids of the tasks that were deleted.', items: { type: 'string' } },
        notDeleted: {
          type: 'array',
          description: 'Tasks that were not, each with the reason.',
          items: object({
            taskId: { type: 'string', description: 'The id that was asked for.' },
            code: { type: 'integer', description: 'Code of the reason, as in an answer that failed.' },
            msg: { type: 'string', description: 'Text of the reason.' },
          }),
        },
      });
    case 'claim':
      return { oneOf: [cronTask, { type: 'array', maxItems: 0, items: {}, description: 'Nothing to do.' }] };
    case 'cronTask':
      return cronTask;
    case 'task':
      return task;
  }
}

const object = (properties: Record<string, Schema>): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
