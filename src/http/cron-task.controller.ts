import { Get, Injectable, Param, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { InjectOwnTaskService, InjectTaskOptions } from '../contract/registration.js';
import type { Task, TaskJson } from '../contract/task.entity.js';
import type { TaskService } from '../core/task.service.js';
import type { ResolvedTaskOptions } from '../task.options.js';
import { ClaimTaskDto } from './dto/claim-task.dto.js';
import { ReportTaskDto } from './dto/report-task.dto.js';
import { TaskInput } from './input.js';

/** A task as a worker gets it. */
export interface CronTaskJson {
  task: TaskJson & { callbackUrl: string };
  /** The callback's address: the original's name for it. */
  updateUrl: string;
}

/** The routes for workers. A host extends it as it does `TaskController`. */
@Injectable()
export class CronTaskController<T extends Task = Task> {
  @InjectTaskOptions() protected readonly options!: ResolvedTaskOptions;
  @InjectOwnTaskService() protected readonly tasks!: TaskService<T>;

  @ApiOperation({
    summary: 'Claim the oldest ready task',
    description: 'Hands each ready task to exactly one worker. Nothing to do: `data` is an empty array.',
  })
  @Get()
  async claim(@TaskInput('GET') query: ClaimTaskDto): Promise<CronTaskJson | []> {
    const task = await this.tasks.claim({ ...query, taskId: query.taskId as string | undefined });
    return task ? this.present(task) : [];
  }

  @ApiOperation({
    summary: 'Report progress, the result, or the failure of a task',
    description:
      'Replaces what is given. A finished task never changes again: the answer is then 200 and shows it as it is. ' +
      'POST does the same, for clients that send a multipart body with `_method=PUT`.',
  })
  @Put()
  async report(@Param('taskId') taskId: string, @TaskInput('PUT') body: ReportTaskDto): Promise<CronTaskJson> {
    return this.present(await this.tasks.report(taskId, body));
  }

  /** What workers see of a task. */
  protected present(task: T): CronTaskJson {
    const { callbackUrl = '' } = this.options;
    return { task: { ...task.toResponse(), callbackUrl }, updateUrl: callbackUrl };
  }
}
