import { Get, Injectable, Param, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Batch } from '../batches/batch.js';
import type { BatchLayerList, BatchMemberList } from '../batches/batch-graph.js';
import type { BatchList } from '../batches/batches.js';
import type { Task } from '../contract/task.entity.js';
import { demandCancelled } from './batch-change.js';
import { BatchChangeDto, ListBatchLayersDto, ListBatchTasksDto, OperatorListBatchesDto } from './dto/batch.dto.js';
import { OperatorName } from './guards/operator-name.js';
import { OperatorSchedulesController } from './operator-schedules.controller.js';
import { TaskInput } from './request/input.js';

/** The part of the routes for operators that is about batches. */
@Injectable()
export abstract class OperatorBatchesController<T extends Task = Task> extends OperatorSchedulesController<T> {
  @ApiOperation({ summary: 'List the batches of all owners, newest first' })
  @Get()
  async batches(@TaskInput('GET') query: OperatorListBatchesDto): Promise<BatchList> {
    return this.tasks.operator.batches.list(query);
  }

  @ApiOperation({ summary: 'Show a batch of any owner' })
  @Get()
  async batch(@Param('batchId') batchId: string): Promise<Batch> {
    return this.tasks.operator.batches.get(batchId);
  }

  @ApiOperation({ summary: 'Seal a batch of any owner, or cancel its tasks' })
  @Put()
  async changeBatch(
    @Param('batchId') batchId: string,
    @TaskInput('PUT') { status, seal }: BatchChangeDto,
    @OperatorName() by?: string,
  ): Promise<Batch> {
    const { batches } = this.tasks.operator;
    if (status !== undefined) {
      demandCancelled(status, this.tasks.status);
      return batches.cancel(batchId, { by });
    }
    return seal ? batches.seal(batchId, { by }) : batches.get(batchId);
  }

  @ApiOperation({ summary: 'List the tasks of a batch, and which of them wait for which' })
  @Get()
  async batchTasks(
    @Param('batchId') batchId: string,
    @TaskInput('GET') query: ListBatchTasksDto,
  ): Promise<BatchMemberList> {
    return this.tasks.operator.batches.tasks(batchId, query);
  }

  @ApiOperation({ summary: 'Count the tasks of a batch by layers' })
  @Get()
  async batchLayers(
    @Param('batchId') batchId: string,
    @TaskInput('GET') query: ListBatchLayersDto,
  ): Promise<BatchLayerList> {
    return this.tasks.operator.batches.layers(batchId, query);
  }
}
