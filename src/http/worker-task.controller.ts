import { Get, Injectable, Param, type PipeTransform, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { InjectOwnTaskService, InjectTaskOptions } from '../contract/registration.js';
import { type ClaimedTask, type ReportedTask, WAIT_HEADER } from '../protocol/wire.types.js';
import type { Task, TaskJson } from '../contract/task.entity.js';
import { type AnswerSpace, noteSpace, spaceOf } from '../queue/answer-room.js';
import { waitReasonOf } from '../queue/wait-reason.js';
import { check } from '../validation/invalid.js';
import { reportRule, taskIdRule } from '../validation/rules.js';
import type { TaskService } from '../service/task.service.js';
import type { HttpSettings } from './http.options.js';
import { ClientGone, setHeader } from './request/client-gone.js';
import { ClaimTaskDto } from './dto/claim-task.dto.js';
import { ReportTaskDto } from './dto/report-task.dto.js';
import { ReportTasksDto } from './dto/report-tasks.dto.js';
import { type Failure, Failures } from './http-failures.js';
import { inputPipe } from './request/input.pipe.js';
import { TaskHeader } from './request/headers.js';
import { TaskInput } from './request/input.js';
import { checkReportFields } from './request/unknown-fields.js';

/** A task, as workers see it. */
export interface CronTaskJson extends ReportedTask {
  task: TaskJson & { callbackUrl: string };
}

/** A task in the answer to a claim. */
export type ClaimedTaskJson = CronTaskJson & ClaimedTask;

/** The answer to a claim: one task, a list of tasks if the claim has a `limit`, or an empty array. */
export type ClaimAnswer = ClaimedTaskJson | { list: ClaimedTaskJson[] } | [];

/** The answer to one of several reports: its own envelope, and the id of its task. */
export interface ReportedJson {
  taskId: unknown;
  [field: string]: unknown;
}

/** The result of one of several reports. */
interface Judged {
  answer: ReportedJson;
  failure?: Failure;
  thrown?: unknown;
}

/** The routes for workers. A host extends it as it does `TaskController`, where the two signatures are explained. */
@Injectable()
export class WorkerTaskController<T extends Task = Task> {
  @InjectTaskOptions() protected readonly options!: HttpSettings;
  @InjectOwnTaskService() protected readonly tasks!: TaskService<T>;
  private readonly pipe: PipeTransform = inputPipe();
  private failures?: Failures;

  claim(query: ClaimTaskDto, signal?: AbortSignal): Promise<ClaimAnswer>;
  @ApiOperation({
    summary: 'Claim ready tasks, by priority, then oldest first',
    description:
      'Each ready task goes to exactly one worker. If no task is ready, `data` is an empty array. After a claim with ' +
      '`lease`, `limit`, `wait`, `workerId` or an Idempotency-Key, each report needs the `leaseToken` of the answer. A ' +
      'claim with none of these has the legacy form, and its reports need no token. An answer holds at most 8 MiB, so ' +
      'a claim may get fewer large tasks than `limit`. The header X-Task-Wait of an empty answer says whether a pause or a ' +
      'limit is the reason. POST does the same.',
  })
  @Get()
  async claim(
    @TaskInput('GET') query: ClaimTaskDto,
    @ClientGone() signal?: AbortSignal,
    @TaskHeader('Idempotency-Key') key?: string,
    @TaskHeader('Authorization') own?: string,
  ): Promise<ClaimAnswer> {
    const { lease, limit, wait, workerId, idempotencyKey = key, credential = own } = query;
    const legacy = [lease, limit, wait, workerId, idempotencyKey].every((value) => value === undefined);
    const taskId = query.taskId as string | undefined;
    const tasks = await this.tasks.claim(
      Object.assign({}, query, { taskId, idempotencyKey, credential, legacy, signal }),
    );
    const reason = waitReasonOf(tasks);
    if (reason) setHeader(signal, WAIT_HEADER, reason);
    const claimed = tasks.map((task): ClaimedTaskJson => {
      const { task: json, updateUrl, leaseExpiresAt } = this.present(task);
      const trace = task.traceparent === null ? {} : { traceparent: task.traceparent };
      return { task: json, updateUrl, leaseToken: task.leaseToken!, leaseExpiresAt, attempt: task.attempts, ...trace };
    });
    return limit === undefined ? (claimed[0] ?? []) : { list: claimed };
  }

  report(taskId: string, body: ReportTaskDto): Promise<CronTaskJson>;
  @ApiOperation({
    summary: 'Report progress, the result, or the failure of a task',
    description:
      'Replaces the fields that it has, and renews the lease; an empty report only renews the lease. A finished task ' +
      'never changes again. LEASE_LOST means that this worker does not hold the task, or no longer, or that the task ' +
      'was cancelled; the worker must stop. POST does the same, for clients that send a multipart body with ' +
      '`_method=PUT`.',
  })
  @Put()
  async report(
    @Param('taskId') taskId: string,
    @TaskInput('PUT') body: ReportTaskDto,
    @TaskHeader('Lease-Token') token?: string,
  ): Promise<CronTaskJson> {
    const { leaseToken = token } = body;
    return this.present(await this.tasks.report(taskId, Object.assign({}, body, { leaseToken })));
  }

  @ApiOperation({
    summary: 'Report on several tasks at once',
    description:
      'Each report is judged separately, and its answer stands in the same place as if it had come alone. If the server ' +
      'could accept none of them, the whole request fails, with UNAVAILABLE or INTERNAL. An answer holds at most 8 MiB: ' +
      'a report whose answer does not fit is not accepted and gets TOO_MANY_REQUESTS; send it again.',
  })
  @Put()
  async reportMany(@TaskInput('PUT') body: ReportTasksDto): Promise<{ list: ReportedJson[] }> {
    const { reports } = body;
    // Reports on the same task run one after the other, in their order.
    const lanes = new Map<unknown, Promise<Judged>>();
    const failures = (this.failures ??= new Failures(this.options));
    const answers = reports.map((report) => {
      const taskId = (report as { taskId?: unknown } | null)?.taskId;
      const before = lanes.get(taskId) ?? Promise.resolve();
      const answer = before.then(() => this.reportOne(failures, taskId, report, spaceOf(body)));
      lanes.set(taskId, answer);
      return answer;
    });
    const judged = await Promise.all(answers);
    // The server accepted none, and none was wrong: the client can repeat the whole request.
    if (judged.every(({ failure }) => failure && failure.entry.httpCode >= 500)) throw judged[0]!.thrown;
    return { list: judged.map(({ answer }) => answer) };
  }

  /** A task, as workers see it. */
  protected present(task: T): CronTaskJson {
    const callbackUrl = this.tasks.callbackUrlOf(task) ?? '';
    const json = task.toResponse();
    return {
      task: Object.assign({}, json, { callbackUrl }),
      updateUrl: callbackUrl,
      leaseExpiresAt: json.leaseExpiresAt,
    };
  }

  private async reportOne(failures: Failures, taskId: unknown, report: unknown, space: AnswerSpace): Promise<Judged> {
    const envelope = new this.options.response();
    try {
      const metadata = { type: 'custom', metatype: ReportTaskDto } as const;
      check('report', report, reportRule);
      check('taskId', taskId, taskIdRule);
      if (this.options.strictFields) checkReportFields(report as object);
      const body = (await this.pipe.transform(report, metadata)) as ReportTaskDto;
      noteSpace(body, space);
      return { answer: named(taskId, envelope.success(await this.report(taskId as string, body))) };
    } catch (thrown) {
      const failure = failures.describe(thrown);
      return { answer: named(taskId, envelope.failure(failure.body)), failure, thrown };
    }
  }
}

/** Adds the task's id to the envelope. An envelope that is no object stands in the property `answer`. */
const named = (taskId: unknown, answer: unknown): ReportedJson =>
  typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? { taskId, ...answer } : { taskId, answer };
