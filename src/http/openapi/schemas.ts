import type { Type } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType } from '@nestjs/swagger';
import { batchSchemas } from './batch-bodies.js';
import { type StatusDoc, withPriority, withStatus } from './documented.js';
import { CALLBACK_TYPES } from '../../callbacks/callback.js';
import type { TaskStatusCatalogue } from '../../contract/status.js';
import { LifeCycle } from '../../queue/life-cycle.js';
import type { RouteStructure } from '../http.options.js';
import type { CreateTaskDto } from '../dto/create-task.dto.js';
import type { TaskDtos } from '../dto/index.js';
import { OperatorUpdateDto } from '../dto/operator-update.dto.js';
import { ReportTaskDto } from '../dto/report-task.dto.js';
import { ReportOneTaskDto, ReportTasksDto } from '../dto/report-tasks.dto.js';
import { ScheduleDto } from '../dto/schedule.dto.js';
import { BOUNDS, type PriorityRange } from '../../validation/rules.js';

const LEASE_TOKEN = 'b7e23ec2-9f0b-4c1e-8a45-3d1f5f2c6a10';

/** The schemas of one registration in the OpenAPI document. */
export interface TaskSchemas {
  /** Ends the names of schemas and operations, so that each registration has its own. Empty for the default one. */
  suffix: string;
  task: Type;
  /** The same in the answer to a create. */
  created: Type;
  /** The same for operators. */
  operatorTask: Type;
  cronTask: Type;
  claimed: Type;
  /** The notice that the server sends when a task has ended. */
  notice: Type;
  /** The documented form of a DTO, with the statuses of this registration. */
  bodyOf(dto: Type): Type;
}

/**
 * Makes subclasses of the entity and of the DTOs. They document the columns of the host beside ours, and the integers
 * of each status. The metadata of the classes themselves stays as it is.
 */
export function createSchemas(structure: RouteStructure, dtos: TaskDtos, priority: PriorityRange): TaskSchemas {
  const { name, status } = structure;
  const suffix = name === 'default' ? '' : `_${name}`;
  const tasks = taskSchemas(structure, suffix);
  const bodies = new Map<Type, Type>([
    [dtos.create, withPriority(withStatus(dtos.create, `createTask${suffix}`, newStatus(status)), priority)],
    [dtos.update, withStatus(dtos.update, `updateTask${suffix}`, userStatus(status))],
    [OperatorUpdateDto, withStatus(OperatorUpdateDto, `operatorUpdateTask${suffix}`, userStatus(status))],
    [ScheduleDto, scheduleSchema(dtos.create, suffix, priority)],
    ...batchSchemas(dtos.create, suffix, priority, newStatus(status)),
    [ReportTaskDto, withStatus(ReportTaskDto, `reportTask${suffix}`, workerStatus(status))],
    [ReportTasksDto, reportsSchema(status, suffix)],
  ]);
  return { suffix, ...tasks, bodyOf: (dto) => bodies.get(dto) ?? dto };
}

type TaskSchemaNames = 'task' | 'created' | 'operatorTask' | 'cronTask' | 'claimed' | 'notice';

function taskSchemas({ entity, status }: RouteStructure, suffix: string): Record<TaskSchemaNames, Type> {
  class TaskSchema extends entity {
    @ApiProperty({
      type: 'integer',
      description: `Status of the task: ${named(status, Object.values(status))}.`,
      example: status.BEGIN,
    })
    declare status: number;
  }
  ApiSchema({ name: `task${suffix}` })(TaskSchema);
  class CreatedTaskSchema extends TaskSchema {
    @ApiPropertyOptional({ type: Boolean, description: 'The task holds the unique key already. Nothing was created.' })
    declare duplicate?: true;
    @ApiPropertyOptional({
      type: Boolean,
      description: 'The duplicate got the content of the request. Absent: it is as it was.',
    })
    declare replaced?: true;
  }
  ApiSchema({ name: `createdTask${suffix}` })(CreatedTaskSchema);
  class OperatorTaskSchema extends TaskSchema {
    @ApiProperty({ description: 'The owner.', example: 'alice' })
    declare userId: string;
    @ApiProperty({
      type: String,
      nullable: true,
      description: 'The worker that last took the task. null: it named none, or none has.',
      example: null,
    })
    declare workerId: string | null;
  }
  ApiSchema({ name: `operatorTask${suffix}` })(OperatorTaskSchema);
  class WorkerTaskSchema extends TaskSchema {
    @ApiProperty({
      description: "The callback's address; empty if there is none.",
      example: 'https://example.org/done',
    })
    declare callbackUrl: string;
  }
  ApiSchema({ name: `workerTask${suffix}` })(WorkerTaskSchema);
  class CronTaskSchema {
    @ApiProperty({ type: WorkerTaskSchema })
    declare task: unknown;
    @ApiProperty({
      description: "The callback's address under its legacy name; empty if there is none.",
      example: 'https://example.org/done',
    })
    declare updateUrl: string;
    @ApiProperty({
      type: String,
      format: 'date-time',
      nullable: true,
      description: 'When the lease ends, unless a report renews it; null while there is no lease.',
      example: '2026-11-24T09:35:00.000Z',
    })
    declare leaseExpiresAt: string | null;
  }
  ApiSchema({ name: `cronTask${suffix}` })(CronTaskSchema);
  class ClaimedTaskSchema extends CronTaskSchema {
    @ApiProperty({
      description: 'Send it with each report on the task.',
      maxLength: 36,
      example: LEASE_TOKEN,
    })
    declare leaseToken: string;
    @ApiProperty({ type: 'integer', description: 'Number of this attempt, from 1.', minimum: 1, example: 1 })
    declare attempt: number;
    @ApiPropertyOptional({
      description: 'The trace in which the task was created, as the W3C writes it. Absent: it was not traced.',
      maxLength: 55,
      example: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    })
    declare traceparent?: string;
  }
  ApiSchema({ name: `claimedTask${suffix}` })(ClaimedTaskSchema);
  class NoticeSchema {
    @ApiProperty({
      description: 'How the task has ended.',
      enum: Object.values(CALLBACK_TYPES),
      example: CALLBACK_TYPES.FINISHED,
    })
    declare type: string;
    @ApiProperty({ format: 'date-time', description: 'When the task ended.', example: '2026-11-24T09:35:00.000Z' })
    declare timestamp: string;
    @ApiProperty({ type: WorkerTaskSchema })
    declare data: unknown;
  }
  ApiSchema({ name: `taskEnded${suffix}` })(NoticeSchema);
  return {
    task: TaskSchema,
    created: CreatedTaskSchema,
    operatorTask: OperatorTaskSchema,
    cronTask: CronTaskSchema,
    claimed: ClaimedTaskSchema,
    notice: NoticeSchema,
  };
}

/** A list of reports, each with the statuses of this registration. */
function reportsSchema(status: TaskStatusCatalogue, suffix: string): Type {
  const One = withStatus(ReportOneTaskDto, `reportOneTask${suffix}`, workerStatus(status));
  class Reports extends ReportTasksDto {
    @ApiProperty({
      type: [One],
      description: 'Each report is judged separately.',
      minItems: 1,
      maxItems: BOUNDS.reports,
      example: [{ taskId: '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c', leaseToken: LEASE_TOKEN, progress: 50 }],
    })
    declare reports: unknown[];
  }
  ApiSchema({ name: `reportTasks${suffix}` })(Reports);
  return Reports;
}

/** The settings of a schedule, with what a create takes in this registration. */
function scheduleSchema(Create: Type, suffix: string, priority: PriorityRange): Type {
  class ScheduledTask extends OmitType(Create as Type<CreateTaskDto>, ['status', 'runAt']) {}
  ApiSchema({ name: `scheduledTask${suffix}` })(ScheduledTask);
  class Settings extends OmitType(ScheduleDto, ['task']) {
    @ApiProperty({
      type: withPriority(ScheduledTask, priority),
      description: 'The task that is created. In forms: its JSON text.',
      example: { input: 'nightly-report', service: 'reports' },
    })
    task!: unknown;
  }
  ApiSchema({ name: `scheduleSettings${suffix}` })(Settings);
  return Settings;
}

function newStatus(status: TaskStatusCatalogue): StatusDoc {
  return {
    description:
      `${status.INIT} INIT for a draft, ${status.BEGIN} BEGIN for a task that is ready to be claimed. ` +
      `If absent, the configuration decides: ${status.INIT} by default.`,
    enum: [...new LifeCycle(status).newStatuses],
    example: status.BEGIN,
  };
}

function userStatus(status: TaskStatusCatalogue): StatusDoc {
  return {
    description:
      `${status.BEGIN} BEGIN makes the task ready, or runs it again after it has failed or was cancelled; ` +
      `${status.CANCELLED} CANCELLED cancels it. ${status.INIT} INIT leaves a draft as it is.`,
    enum: [...new LifeCycle(status).userStatuses],
    example: status.BEGIN,
  };
}

function workerStatus(status: TaskStatusCatalogue): StatusDoc {
  const allowed = [...new LifeCycle(status).workerStatuses];
  return {
    description:
      `${named(status, allowed)}: FINISHED or ERROR at the end, BEGIN to give the task back, ` +
      'any other while in progress. If absent, the status stays.',
    enum: allowed,
  };
}

const named = (status: TaskStatusCatalogue, values: number[]): string =>
  Object.entries(status)
    .filter(([, value]) => values.includes(value))
    .map(([name, value]) => `${value} ${name}`)
    .join(', ');
