import { Get, Injectable, Param, Post, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { BatchLayerList, BatchMemberList } from '../batches/batch-graph.js';
import type { Batch, BatchSummary, BatchTask, CreatedBatch, NewBatch } from '../batches/batch.js';
import { InjectOwnTaskService, InjectTaskOptions } from '../contract/registration.js';
import type { Task } from '../contract/task.entity.js';
import type { TaskService } from '../service/task.service.js';
import {
  AddToBatchDto,
  BatchChangeDto,
  CreateBatchDto,
  ListBatchesDto,
  ListBatchLayersDto,
  ListBatchTasksDto,
} from './dto/batch.dto.js';
import { UserId } from './guards/user.guard.js';
import { demandCancelled } from './batch-change.js';
import type { HttpSettings } from './http.options.js';
import { TaskHeader } from './request/headers.js';
import { TaskInput } from './request/input.js';

/** A batch as its owner sees it. */
export type BatchJson = Omit<Batch, 'userId'>;
export type BatchSummaryJson = Omit<BatchSummary, 'userId'>;

/** The batches of users. Option `batchUri` switches them on. A host extends it as it does `TaskController`. */
@Injectable()
export class BatchController<T extends Task = Task> {
  @InjectTaskOptions() protected readonly options!: HttpSettings;
  @InjectOwnTaskService() protected readonly tasks!: TaskService<T>;

  create(userId: string, body: CreateBatchDto): Promise<BatchJson & { taskIds: string[] }>;
  @ApiOperation({
    summary: 'Create a batch of tasks',
    description:
      'All tasks are created, or none. When all have ended, the task `then` is created, and the notice `batch.finished` ' +
      'is sent. A request that repeats the header Idempotency-Key gets the batch of the first request.',
  })
  @Post()
  async create(
    @UserId() userId: string,
    @TaskInput('POST') body: CreateBatchDto,
    @TaskHeader('Idempotency-Key') key?: string,
  ): Promise<BatchJson & { taskIds: string[] }> {
    const { idempotencyKey = key, ...batch } = body;
    const created = await this.tasks.batches.create(batch as NewBatch<T>, { userId, idempotencyKey });
    return this.present(created) as Omit<CreatedBatch, 'userId'>;
  }

  @ApiOperation({ summary: 'List own batches, newest first' })
  @Get()
  async list(
    @UserId() userId: string,
    @TaskInput('GET') query: ListBatchesDto,
  ): Promise<{ list: BatchSummaryJson[]; nextCursor: string | null }> {
    const { list, nextCursor } = await this.tasks.batches.list({ ...query, userId });
    return { list: list.map((batch) => this.present(batch)), nextCursor };
  }

  @ApiOperation({ summary: 'Show a batch' })
  @Get()
  async get(@UserId() userId: string, @Param('batchId') batchId: string): Promise<BatchJson> {
    return this.present(await this.tasks.batches.get(batchId, { userId }));
  }

  @ApiOperation({
    summary: 'Add tasks to a batch',
    description: 'All of them, or none. Only while the batch is not sealed.',
  })
  @Post()
  async add(
    @UserId() userId: string,
    @Param('batchId') batchId: string,
    @TaskInput('POST') { tasks }: AddToBatchDto,
  ): Promise<BatchJson & { taskIds: string[] }> {
    const added = await this.tasks.batches.add(batchId, tasks as BatchTask<T>[], { userId });
    return this.present(added) as Omit<CreatedBatch, 'userId'>;
  }

  @ApiOperation({ summary: 'Seal a batch, or cancel its tasks' })
  @Put()
  async change(
    @UserId() userId: string,
    @Param('batchId') batchId: string,
    @TaskInput('PUT') { status, seal }: BatchChangeDto,
  ): Promise<BatchJson> {
    const { batches, status: catalogue } = this.tasks;
    if (status !== undefined) {
      demandCancelled(status, catalogue);
      return this.present(await batches.cancel(batchId, { userId }));
    }
    return this.present(await (seal ? batches.seal(batchId, { userId }) : batches.get(batchId, { userId })));
  }

  @ApiOperation({
    summary: 'List the tasks of a batch, and which of them wait for which',
    description: 'In the order in which they were created. Tasks that were deleted stand there, too.',
  })
  @Get()
  async listTasks(
    @UserId() userId: string,
    @Param('batchId') batchId: string,
    @TaskInput('GET') query: ListBatchTasksDto,
  ): Promise<BatchMemberList> {
    return this.tasks.batches.graph.tasks(batchId, { ...query, userId });
  }

  @ApiOperation({
    summary: 'Count the tasks of a batch by layers',
    description: 'Tasks that wait for none are the layer 0. Others come one layer after the last that they wait for.',
  })
  @Get()
  async listLayers(
    @UserId() userId: string,
    @Param('batchId') batchId: string,
    @TaskInput('GET') query: ListBatchLayersDto,
  ): Promise<BatchLayerList> {
    return this.tasks.batches.graph.layers(batchId, { ...query, userId });
  }

  /** What its owner sees of a batch. */
  protected present<B extends BatchSummary>({ userId: _, ...batch }: B): Omit<B, 'userId'> {
    return batch;
  }
}
