import { Get, Injectable, Param, type PipeTransform, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { TaskError, type TaskErrorBody } from '../contract/errors.js';
import { InjectOwnTaskService, InjectTaskOptions } from '../contract/registration.js';
import type { Task, TaskJson } from '../contract/task.entity.js';
import type { TaskService } from '../core/task.service.js';
import type { ResolvedTaskOptions } from '../task.options.js';
import { ClientGone } from './client-gone.js';
import { ClaimTaskDto } from './dto/claim-task.dto.js';
import { ReportTaskDto } from './dto/report-task.dto.js';
import { ReportTasksDto } from './dto/report-tasks.dto.js';
import { inputPipe } from './input.pipe.js';
import { TaskInput } from './input.js';

/** A task as a worker gets it. */
export interface CronTaskJson {
  task: TaskJson & { callbackUrl: string };
  /** The callback's address: the original's name for it. */
  updateUrl: string;
  /** ISO 8601, UTC; null while no lease runs. */
  leaseExpiresAt: string | null;
}

/** A task as a claim answers it. */
export interface ClaimedTaskJson extends CronTaskJson {
  /** For every report on the task. */
  leaseToken: string;
  /** Which attempt at the task this is, from 1. */
  attempt: number;
}

/** What a claim answers: one task, with `limit` a list of them, or nothing. */
export type ClaimAnswer = ClaimedTaskJson | { list: ClaimedTaskJson[] } | [];

/** The answer to one of many reports: the envelope of its own answer, and whose it is. */
export interface ReportedJson {
  taskId: unknown;
  [field: string]: unknown;
}

/** The routes for workers. A host extends it as it does `TaskController`. */
@Injectable()
export class CronTaskController<T extends Task = Task> {
  @InjectTaskOptions() protected readonly options!: ResolvedTaskOptions;
  @InjectOwnTaskService() protected readonly tasks!: TaskService<T>;
  private readonly pipe: PipeTransform = inputPipe();

  @ApiOperation({
    summary: 'Claim ready tasks, by priority, then oldest first',
    description:
      'Hands each ready task to exactly one worker. Nothing to do: `data` is an empty array. A claim with `lease`, ' +
      '`limit`, `wait`, `workerId` or an Idempotency-Key is reported on with the `leaseToken` that it answers; one ' +
      "without them, the original's form, may be reported on without. POST does the same.",
  })
  @Get()
  async claim(@TaskInput('GET') query: ClaimTaskDto, @ClientGone() signal?: AbortSignal): Promise<ClaimAnswer> {
    const { lease, limit, wait, workerId, idempotencyKey } = query;
    const legacy = [lease, limit, wait, workerId, idempotencyKey].every((value) => value === undefined);
    const taskId = query.taskId as string | undefined;
    const tasks = await this.tasks.claim({ ...query, taskId, legacy, signal });
    const claimed = tasks.map((task): ClaimedTaskJson => {
      const { task: json, updateUrl, leaseExpiresAt } = this.present(task);
      return { task: json, updateUrl, leaseToken: task.leaseToken!, leaseExpiresAt, attempt: task.attempts };
    });
    return limit === undefined ? (claimed[0] ?? []) : { list: claimed };
  }

  @ApiOperation({
    summary: 'Report progress, the result, or the failure of a task',
    description:
      'Replaces what is given, and renews the lease; an empty report does only that. A finished task never changes ' +
      'again. LEASE_LOST: the task is not, or no longer, this worker’s, or was cancelled; drop it. ' +
      'POST does the same, for clients that send a multipart body with `_method=PUT`.',
  })
  @Put()
  async report(@Param('taskId') taskId: string, @TaskInput('PUT') body: ReportTaskDto): Promise<CronTaskJson> {
    return this.present(await this.tasks.report(taskId, body));
  }

  @ApiOperation({
    summary: 'Report on many tasks at once',
    description: 'Each report is judged for itself, and answered in its place as if it had come alone.',
  })
  @Put()
  async reportMany(@TaskInput('PUT') { reports }: ReportTasksDto): Promise<{ list: ReportedJson[] }> {
    // Those of one task go one after the other, in their order.
    const lanes = new Map<unknown, Promise<ReportedJson>>();
    const answers = reports.map((report) => {
      const taskId = (report as { taskId?: unknown } | null)?.taskId;
      const before = lanes.get(taskId) ?? Promise.resolve();
      const answer = before.then(() => this.reportOne(taskId, report));
      lanes.set(taskId, answer);
      return answer;
    });
    return { list: await Promise.all(answers) };
  }

  /** What workers see of a task. */
  protected present(task: T): CronTaskJson {
    const callbackUrl = this.tasks.callbackUrlOf(task) ?? '';
    const json = task.toResponse();
    return { task: { ...json, callbackUrl }, updateUrl: callbackUrl, leaseExpiresAt: json.leaseExpiresAt };
  }

  private async reportOne(taskId: unknown, report: unknown): Promise<ReportedJson> {
    const envelope = new this.options.response();
    try {
      const metadata = { type: 'custom', metatype: ReportTaskDto } as const;
      const given = typeof report === 'object' && report !== null ? report : {};
      const body = (await this.pipe.transform(given, metadata)) as ReportTaskDto;
      return named(taskId, envelope.success(await this.report(String(taskId), body)));
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      const { code, msg } = this.options.error[error.errorName] ?? this.options.error.INTERNAL;
      const failure: TaskErrorBody = { code, msg, ...(error.detail === undefined ? {} : { detail: error.detail }) };
      return named(taskId, envelope.failure(failure));
    }
  }
}

/** The envelope with the task's id beside it, or, where a host's envelope is no object, below it. */
const named = (taskId: unknown, answer: unknown): ReportedJson =>
  typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? { taskId, ...answer } : { taskId, answer };
