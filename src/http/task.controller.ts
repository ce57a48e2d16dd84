import { Delete, Get, Injectable, Param, Post, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { InjectOwnTaskService, InjectTaskOptions } from '../contract/registration.js';
import type { Task, TaskJson } from '../contract/task.entity.js';
import type { TaskService } from '../core/task.service.js';
import type { ResolvedTaskOptions } from '../task.options.js';
import { CreateTaskDto } from './dto/create-task.dto.js';
import { ListTasksDto } from './dto/list-tasks.dto.js';
import { RemoveTasksDto } from './dto/remove-tasks.dto.js';
import { UpdateTaskDto } from './dto/update-task.dto.js';
import { TaskInput } from './input.js';
import { UserId } from './user.guard.js';

/** What was deleted, and what was not, with the code and text of the reason. */
export interface RemovalJson {
  deleted: string[];
  notDeleted: { taskId: string; code: number; msg: string }[];
}

/**
 * The routes for users. A host extends it and overrides any handler without decorating it again: path, validation,
 * guards, envelope and OpenAPI stay. What a handler returns becomes `data` of the envelope; a thrown `TaskError`
 * becomes its entry of the error catalogue. Handlers that a host adds are decorated as usual, with whole paths.
 */
@Injectable()
export class TaskController<T extends Task = Task> {
  @InjectTaskOptions() protected readonly options!: ResolvedTaskOptions;
  @InjectOwnTaskService() protected readonly tasks!: TaskService<T>;

  @ApiOperation({ summary: 'Create a task' })
  @Post()
  async create(@UserId() userId: string, @TaskInput('POST') body: CreateTaskDto): Promise<TaskJson> {
    const task = await this.tasks.create({ ...body, userId } as Parameters<TaskService<T>['create']>[0]);
    return task.toResponse();
  }

  @ApiOperation({ summary: 'List own tasks, newest first' })
  @Get()
  async list(@UserId() userId: string, @TaskInput('GET') query: ListTasksDto): Promise<{ list: TaskJson[] }> {
    const tasks = await this.tasks.list({ ...query, userId });
    return { list: tasks.map((task) => task.toResponse()) };
  }

  @ApiOperation({
    summary: 'Delete own tasks',
    description: 'Deletes what it can and says what it could not, and why: a task that a worker holds stays.',
  })
  @Delete()
  async remove(@UserId() userId: string, @TaskInput('DELETE') body: RemoveTasksDto): Promise<RemovalJson> {
    const { deleted, notDeleted } = await this.tasks.remove(body.ids, { userId });
    const { error } = this.options;
    return {
      deleted,
      notDeleted: notDeleted.map(({ taskId, reason: { errorName } }) => ({
        taskId,
        code: error[errorName]!.code,
        msg: error[errorName]!.msg,
      })),
    };
  }

  @ApiOperation({ summary: 'Show a task' })
  @Get()
  async get(@UserId() userId: string, @Param('taskId') taskId: string): Promise<TaskJson> {
    const task = await this.tasks.getOwn(taskId, userId);
    return task.toResponse();
  }

  @ApiOperation({
    summary: 'Change a task, or make it ready',
    description: 'POST does the same, for clients that send a multipart body with `_method=PUT`.',
  })
  @Put()
  async update(
    @UserId() userId: string,
    @Param('taskId') taskId: string,
    @TaskInput('PUT') body: UpdateTaskDto,
  ): Promise<TaskJson> {
    const task = await this.tasks.update(taskId, body as Parameters<TaskService<T>['update']>[1], { userId });
    return task.toResponse();
  }
}
