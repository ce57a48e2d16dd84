import { Delete, Get, Injectable, Param, Post, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Bulk } from '../bulk/bulk.js';
import type { TaskCallback } from '../callbacks/callback.js';
import { InjectTaskOptions } from '../contract/registration.js';
import type { Task } from '../contract/task.entity.js';
import type { ServiceState } from '../flow/services.js';
import type { ReplayResult } from '../callbacks/callbacks.service.js';
import type { TaskAttempt } from '../metrics/attempt.js';
import type { Stats } from '../metrics/stats.js';
import type { Overview } from '../operator/overview.js';
import type { WorkerLoad } from '../operator/worker.store.js';
import type { SearchCount } from '../queue/use-cases/search.js';
import { PlainText } from './binding/plain-text.js';
import { BulkChangeDto, BulkDto, ListBulksDto } from './dto/bulk.dto.js';
import { CallbackFilterDto, CallbackListDto } from './dto/callback-list.dto.js';
import { OperatorListDto } from './dto/operator-list.dto.js';
import { OperatorUpdateDto } from './dto/operator-update.dto.js';
import { RemoveTasksDto } from './dto/remove-tasks.dto.js';
import { ServiceDto } from './dto/service.dto.js';
import { StatsDto } from './dto/stats.dto.js';
import { timeOf } from '../validation/rules.js';
import { OperatorAccessOf, OperatorName } from './guards/operator-name.js';
import type { HttpSettings } from './http.options.js';
import { OperatorBatchesController } from './operator-batches.controller.js';
import type { OperatorTaskJson } from './operator-schedules.controller.js';
import { type RemovalJson, removalJson } from './removal-json.js';
import { TaskInput } from './request/input.js';

/** What an operator sees first, and what this one may do. */
export type OverviewJson = Overview & { access: 'all' | 'read' };

export interface OperatorListJson {
  list: OperatorTaskJson[];
  nextCursor: string | null;
  searchedTo: Date | null;
}

export interface OperatorTaskDetailJson {
  task: OperatorTaskJson;
  attempts: TaskAttempt[];
  callbacks: TaskCallback[];
}

/** The routes for operators. A host extends it as it does `TaskController`. */
@Injectable()
export class OperatorController<T extends Task = Task> extends OperatorBatchesController<T> {
  @InjectTaskOptions() protected readonly options!: HttpSettings;

  @ApiOperation({
    summary: 'Show what is in the queue now, and what happened lately, by service',
    description: 'At most 2 s old, or older if reading is slow. Counts of what happened come up to 10 s later.',
  })
  @Get()
  async overview(@OperatorAccessOf() access: 'all' | 'read' = 'read'): Promise<OverviewJson> {
    return { ...(await this.tasks.operator.overview()), access };
  }

  @ApiOperation({ summary: 'Show what happened, as a series for a chart' })
  @Get()
  async stats(@TaskInput('GET') { from, to, step, service }: StatsDto): Promise<Stats> {
    return this.tasks.operator.stats({ from: timeOf(from), to: timeOf(to), step, service });
  }

  @ApiOperation({
    summary: 'Show the metrics for Prometheus',
    description: 'Gauges are the same from each process; counters and histograms are those of this process.',
  })
  @Get()
  async metrics(): Promise<PlainText> {
    const { text, contentType } = await this.tasks.metrics.metricsText();
    return new PlainText(text, contentType);
  }

  @ApiOperation({
    summary: 'Search tasks of all owners, newest first',
    description:
      'One search reads a bounded number of rows. `searchedTo` says how far it came, and `nextCursor` continues it: a ' +
      'list may be empty although there are more. POST takes the parameters from the body.',
  })
  @Get()
  async list(@TaskInput('GET') query: OperatorListDto): Promise<OperatorListJson> {
    const { list, nextCursor, searchedTo } = await this.tasks.operator.search(query);
    return { list: list.map((task) => this.present(task)), nextCursor, searchedTo };
  }

  @ApiOperation({ summary: 'Show everything of a task' })
  @Get()
  async get(@Param('taskId') taskId: string): Promise<OperatorTaskDetailJson> {
    const { task, ...rest } = await this.tasks.operator.get(taskId);
    return { task: this.present(task), ...rest };
  }

  @ApiOperation({ summary: 'Run a task again, make it ready, cancel it, or change its priority' })
  @Put()
  async update(
    @Param('taskId') taskId: string,
    @TaskInput('PUT') body: OperatorUpdateDto,
    @OperatorName() by?: string,
  ): Promise<OperatorTaskJson> {
    return this.present(await this.tasks.operator.update(taskId, body, { by }));
  }

  @ApiOperation({ summary: 'Delete tasks', description: 'A task that a worker holds stays.' })
  @Delete()
  async remove(@TaskInput('DELETE') { ids }: RemoveTasksDto, @OperatorName() by?: string): Promise<RemovalJson> {
    return removalJson(await this.tasks.operator.remove(ids, { by }), this.options.error);
  }

  @ApiOperation({
    summary: 'Change many tasks by a filter',
    description: 'It is worked off in the background. With `dryRun` it only counts the tasks.',
  })
  @Post()
  async bulk(@TaskInput('POST') body: BulkDto, @OperatorName() by?: string): Promise<Bulk | SearchCount> {
    const { dryRun, ...request } = body;
    return dryRun ? this.tasks.operator.countBulk(request) : this.tasks.operator.bulk(request, { by });
  }

  @ApiOperation({ summary: 'List the bulk changes of the last 7 days, newest first' })
  @Get()
  async bulks(@TaskInput('GET') query: ListBulksDto): Promise<{ list: Bulk[]; nextCursor: string | null }> {
    return this.tasks.operator.bulks(query);
  }

  @ApiOperation({ summary: 'Show how far a bulk change is' })
  @Get()
  async getBulk(@Param('bulkId') bulkId: string): Promise<Bulk> {
    return this.tasks.operator.getBulk(bulkId);
  }

  @ApiOperation({ summary: 'Stop a bulk change' })
  @Put()
  async changeBulk(
    @Param('bulkId') bulkId: string,
    @TaskInput('PUT') { abort = false }: BulkChangeDto,
    @OperatorName() by?: string,
  ): Promise<Bulk> {
    return abort ? this.tasks.operator.abortBulk(bulkId, { by }) : this.tasks.operator.getBulk(bulkId);
  }

  @ApiOperation({ summary: 'List the services with settings: what is in force, and where it comes from' })
  @Get()
  async services(): Promise<{ list: ServiceState[] }> {
    return { list: await this.tasks.operator.services() };
  }

  @ApiOperation({ summary: 'Pause, resume or limit a service' })
  @Put()
  async setService(
    @Param('service') service: string,
    @TaskInput('PUT') body: ServiceDto,
    @OperatorName() by?: string,
  ): Promise<ServiceState> {
    return this.tasks.operator.setService(service, body, { by });
  }

  @ApiOperation({ summary: 'List callbacks, newest first' })
  @Get()
  async callbacks(
    @TaskInput('GET') query: CallbackListDto,
  ): Promise<{ list: TaskCallback[]; nextCursor: string | null }> {
    return this.tasks.operator.callbacks(query);
  }

  @ApiOperation({ summary: 'Deliver a callback again' })
  @Post()
  async replayCallback(@Param('id') id: string, @OperatorName() by?: string): Promise<TaskCallback> {
    return this.tasks.operator.replayCallback(id, { by });
  }

  @ApiOperation({
    summary: 'Deliver many callbacks again, by default those that are dead',
    description: 'Up to 1,000 at once: `isPartial` says whether there may be more.',
  })
  @Post()
  async replayCallbacks(
    @TaskInput('POST') filter: CallbackFilterDto,
    @OperatorName() by?: string,
  ): Promise<ReplayResult> {
    return this.tasks.operator.replayCallbacks(filter, { by });
  }

  @ApiOperation({ summary: 'List who holds tasks now' })
  @Get()
  async workers(): Promise<{ list: WorkerLoad[] }> {
    return { list: await this.tasks.operator.workers() };
  }
}
