import { Delete, Get, Injectable, Param, Post, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { InjectOwnTaskService, InjectTaskOptions } from '../contract/registration.js';
import type { Task, TaskJson } from '../contract/task.entity.js';
import type { NewTask } from '../queue/creation/create.js';
import type { Bulk } from '../bulk/bulk.js';
import type { SearchCount } from '../queue/use-cases/search.js';
import type { TaskService } from '../service/task.service.js';
import type { Subscription } from '../live/subscription.js';
import { BulkChangeDto, BulkDto } from './dto/bulk.dto.js';
import type { HttpSettings } from './http.options.js';
import { CreateTaskDto } from './dto/create-task.dto.js';
import { ListTasksDto } from './dto/list-tasks.dto.js';
import { RemoveTasksDto } from './dto/remove-tasks.dto.js';
import { UpdateTaskDto } from './dto/update-task.dto.js';
import { WatchTasksDto } from './dto/watch-tasks.dto.js';
import { TaskHeader } from './request/headers.js';
import { TaskInput } from './request/input.js';
import { type RemovalJson, removalJson } from './removal-json.js';
import { UserId } from './guards/user.guard.js';

/** A page of tasks, and the cursor of the next page: null at the end. */
export interface ListJson {
  list: TaskJson[];
  nextCursor: string | null;
}

/**
 * The routes for users. A host extends it and overrides any handler without decorating it again: path, validation,
 * guards, envelope and OpenAPI stay. What a handler returns becomes `data` of the envelope; a thrown `TaskError`
 * becomes its entry of the error catalogue. Handlers that a host adds are decorated as usual, with whole paths.
 *
 * If a method has two signatures, a host overrides the first one. The second one has headers of the request besides:
 * only our own method gets these arguments; the method of a host finds the headers on its DTO.
 */
@Injectable()
export class TaskController<T extends Task = Task> {
  @InjectTaskOptions() protected readonly options!: HttpSettings;
  @InjectOwnTaskService() protected readonly tasks!: TaskService<T>;

  create(userId: string, body: CreateTaskDto): Promise<TaskJson>;
  @ApiOperation({
    summary: 'Create one task or several',
    description:
      'The JSON body may be a list of up to 1,000 tasks: all of them are created, or none, and the answer is a list. ' +
      'A request that repeats the header Idempotency-Key gets the tasks of the first request, and creates none. If ' +
      'another task holds the `unique` key, that task is the answer, with `duplicate`.',
  })
  @Post()
  async create(
    @UserId() userId: string,
    @TaskInput('POST') body: CreateTaskDto,
    @TaskHeader('Idempotency-Key') key?: string,
    @TaskHeader('traceparent') trace?: string,
  ): Promise<TaskJson> {
    const { idempotencyKey = key, traceparent = trace, ...task } = body;
    const created = await this.tasks.create(Object.assign(task, { userId }) as NewTask<T>, {
      idempotencyKey,
      traceparent,
    });
    return created.toResponse();
  }

  /** The same for a body that is a list. If a host overrides only `create`, lists are refused. */
  createMany(userId: string, body: CreateTaskDto[]): Promise<{ list: TaskJson[] }>;
  async createMany(userId: string, body: CreateTaskDto[], key?: string, trace?: string): Promise<{ list: TaskJson[] }> {
    const tasks = body.map(({ idempotencyKey: _, traceparent: __, ...task }) => ({ ...task, userId }) as NewTask<T>);
    const created = await this.tasks.createMany(tasks, {
      idempotencyKey: key ?? body[0]?.idempotencyKey,
      traceparent: trace ?? body[0]?.traceparent,
    });
    return { list: created.map((task) => task.toResponse()) };
  }

  @ApiOperation({
    summary: 'List own tasks, newest first',
    description:
      'GET takes the parameters from the query; POST takes them from the body, where 1,000 `ids` fit. An answer holds ' +
      'at most 8 MiB. If the tasks need more, a request with `cursor` gets a shorter page, and `nextCursor` continues ' +
      'after it; any other request is TOO_LARGE, and `fits` is the number of tasks that fit.',
  })
  @Get()
  async list(@UserId() userId: string, @TaskInput('GET') query: ListTasksDto): Promise<ListJson> {
    const { list, nextCursor } = await this.tasks.list({ ...query, userId });
    return { list: list.map((task) => task.toResponse()), nextCursor };
  }

  watch(userId: string, query: WatchTasksDto): Subscription | Promise<Subscription>;
  @ApiOperation({
    summary: 'Watch own tasks',
    description:
      'A stream of server-sent events. It begins with the tasks as they are, one `task` event each, and the event ' +
      '`synced`. Then each change follows as a `task` event with the whole task, at most two a second for each task; ' +
      'its end always comes. `removed` says that a task is gone. A client that reads slowly gets the newest state of ' +
      'each task. Every 15 seconds there is a comment. The stream ends when the token expires.',
  })
  @Get()
  watch(
    @UserId() userId: string,
    @TaskInput('GET') query: WatchTasksDto,
    @TaskHeader('Last-Event-ID') lastEventId?: string,
  ): Subscription {
    return this.tasks.live.subscribe({ ...query, userId, lastEventId: lastEventId ?? query.lastEventId });
  }

  @ApiOperation({
    summary: 'Delete own tasks',
    description:
      'Deletes the tasks that can be deleted, and answers why the others cannot, such as a task that a worker holds. ' +
      'POST with `_method=DELETE` does the same, for forms.',
  })
  @Delete()
  async remove(@UserId() userId: string, @TaskInput('DELETE') body: RemoveTasksDto): Promise<RemovalJson> {
    return removalJson(await this.tasks.remove(body.ids, { userId }), this.options.error);
  }

  @ApiOperation({ summary: 'Show a task' })
  @Get()
  async get(@UserId() userId: string, @Param('taskId') taskId: string): Promise<TaskJson> {
    const task = await this.tasks.getOwn(taskId, userId);
    return task.toResponse();
  }

  @ApiOperation({
    summary: 'Change a task, make it ready, cancel it, or run it again',
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

  @ApiOperation({
    summary: 'Change many own tasks by a filter',
    description: 'It is worked off in the background. With `dryRun` it only counts the tasks.',
  })
  @Post()
  async bulk(@UserId() userId: string, @TaskInput('POST') body: BulkDto): Promise<Bulk | SearchCount> {
    const { dryRun, ...request } = body;
    return dryRun ? this.tasks.bulks.count(request, { userId }) : this.tasks.bulks.start(request, { userId });
  }

  @ApiOperation({ summary: 'Show how far a bulk change is' })
  @Get()
  async getBulk(@UserId() userId: string, @Param('bulkId') bulkId: string): Promise<Bulk> {
    return this.tasks.bulks.get(bulkId, { userId });
  }

  @ApiOperation({ summary: 'Stop a bulk change' })
  @Put()
  async changeBulk(
    @UserId() userId: string,
    @Param('bulkId') bulkId: string,
    @TaskInput('PUT') { abort = false }: BulkChangeDto,
  ): Promise<Bulk> {
    return abort ? this.tasks.bulks.abort(bulkId, { userId }) : this.tasks.bulks.get(bulkId, { userId });
  }
}
