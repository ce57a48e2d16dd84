import { type CanActivate, type DynamicModule, type ExecutionContext, Get } from '@nestjs/common';
import { ApiOperation, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { Column, Entity, type MigrationInterface, type QueryRunner } from 'typeorm';
import {
  BatchController,
  type BatchSummary,
  type ClaimTaskDto,
  type CreateTaskDto,
  WorkerTaskController,
  type ClaimAnswer,
  OperatorController,
  type OperatorTaskDetailJson,
  type OperatorTaskJson,
  type Schedule,
  ScheduleController,
  type ScheduleJson,
  Task,
  TASK_ERRORS,
  TASK_STATUS,
  TaskController,
  TaskError,
  type TaskErrorBody,
  type TaskJson,
  taskMigrations,
  TaskModule,
  type TaskModuleOptions,
  TaskResponse,
  UserId,
} from '../../src/index.js';

/** A host's own everything, shared by the tests of this folder. */

@Entity('videos', { synchronize: false })
export class VideoTask extends Task {
  @ApiPropertyOptional({ type: String, description: 'Title of the video.' })
  @Column({ type: 'varchar', length: 100, nullable: true })
  title!: string | null;

  override toResponse(): TaskJson {
    return { ...super.toResponse(), title: this.title ?? '' };
  }
}

export class VideoFields {
  @ApiPropertyOptional({ description: 'Title of the video.', maxLength: 100 })
  @MaxLength(100)
  @IsString()
  @IsOptional()
  title?: string;
}

class AddTitle1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE videos ADD COLUMN title varchar(100)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE videos DROP COLUMN title');
  }
}

export class VideoController extends TaskController<VideoTask> {
  override async create(userId: string, body: CreateTaskDto & VideoFields): Promise<TaskJson> {
    if (body.title === 'banned') throw new TaskError('VIDEO_BANNED', { title: body.title });
    return { ...(await super.create(userId, body)), overridden: true };
  }

  @ApiOperation({ summary: 'Count own tasks' })
  @Get('/api/tasks/stats')
  async stats(@UserId() userId: string): Promise<{ count: number }> {
    return { count: (await this.tasks.list({ userId })).list.length };
  }
}

export class VideoWorkerController extends WorkerTaskController {
  override async claim(query: ClaimTaskDto): Promise<ClaimAnswer> {
    const claimed = await super.claim(query);
    return 'task' in claimed ? { ...claimed, task: { ...claimed.task, claimedFrom: 'here' } } : claimed;
  }
}

export class VideoScheduleController extends ScheduleController<VideoTask> {
  protected override present(schedule: Schedule): ScheduleJson {
    return { ...super.present(schedule), ...{ plan: `${schedule.userId}/${schedule.key}` } };
  }

  @ApiOperation({ summary: 'Count own schedules' })
  @Get('/api/plan-count')
  async count(@UserId() userId: string): Promise<{ count: number }> {
    return { count: (await this.tasks.schedules.list({ userId })).list.length };
  }
}

export class VideoBatchController extends BatchController<VideoTask> {
  protected override present<B extends BatchSummary>(batch: B): Omit<B, 'userId'> {
    return { ...super.present(batch), ...{ reel: `${batch.userId}/${batch.batchId}` } };
  }
}

export class VideoOperatorController extends OperatorController<VideoTask> {
  override async overview(access?: 'all' | 'read') {
    return { ...(await super.overview(access)), site: 'studio' };
  }

  override async get(taskId: string): Promise<OperatorTaskDetailJson> {
    return { ...(await super.get(taskId)), ...{ reviewed: false } };
  }

  @ApiOperation({ summary: 'Show the titles of all videos' })
  @Get('/ops/titles')
  async titles(): Promise<{ titles: (string | null)[] }> {
    return { titles: (await this.tasks.operator.search()).list.map(({ title }) => title) };
  }

  protected override present(task: VideoTask): OperatorTaskJson {
    return { ...super.present(task), owner: `${task.userId}@studio` };
  }
}

export const VIDEO_STATUS = { ...TASK_STATUS, INIT: 100, BEGIN: 110, START: 120, FINISHED: 130, UPLOADING: 125 };

export const VIDEO_ERRORS = {
  ...TASK_ERRORS,
  NOT_FOUND: { code: 1, msg: 'no such video', httpCode: 410, headers: { 'X-Gone': 'yes' } },
  VIDEO_BANNED: { code: 20001, msg: 'banned', httpCode: 451 },
};

export class VideoResponse extends TaskResponse {
  override success(data: unknown): unknown {
    return { ok: true, result: data };
  }

  override failure(error: TaskErrorBody): unknown {
    return { ok: false, error };
  }
}

export const VIDEO_URIS = {
  postTaskUri: '/api/videos/new',
  getTaskListUri: '/api/videos',
  deleteTaskUri: '/api/videos/old',
  getTaskUri: '/api/videos/{taskId}',
  putTaskUri: '/api/videos/{taskId}/edit',
  getCronTaskUri: '/jobs',
  putCronTaskUri: '/jobs/{taskId}/report',
  scheduleUri: '/api/plans',
  batchUri: '/api/reels',
  operatorUri: '/ops',
} as const;

/** Lets in who sends `x-key`, and says who it is. */
export class KeyGuard implements CanActivate {
  constructor(private readonly key = 'open') {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; session?: unknown }>();
    request.session = { owner: request.headers['x-owner'] };
    return request.headers['x-key'] === this.key;
  }
}

/** The queue's migrations and the host's, as a host's data source has them. */
export const videoMigrations = (status = VIDEO_STATUS) => ({
  migrations: [...taskMigrations({ table: 'videos', status }), AddTitle1764000000000],
  migrationsRun: true,
});

/** Everything that can be swapped, at once. */
export const EVERYTHING = {
  entity: VideoTask,
  dto: VideoFields,
  controller: VideoController,
  cronController: VideoWorkerController,
  scheduleController: VideoScheduleController,
  batchController: VideoBatchController,
  operatorController: VideoOperatorController,
  status: VIDEO_STATUS,
  error: VIDEO_ERRORS,
  response: VideoResponse,
  ...VIDEO_URIS,
  guards: [KeyGuard],
  cronGuards: [new KeyGuard('worker')],
  operatorGuards: [new KeyGuard('operator')],
  workerTokens: [],
  userId: (request: { session?: { owner?: string } }) => request.session?.owner,
  callbackUrl: 'https://example.com/done',
  deliverCallbacks: false,
  defaultService: 'transcode',
  schedules: true,
} satisfies TaskModuleOptions;

const VALUES = Symbol('VALUES');
class ValuesModule {}

/** The same options by forRootAsync(): structure beside the factory, values from a provider of an imported module. */
export function forRootAsync({
  defaultService,
  callbackUrl,
  deliverCallbacks,
  workerTokens,
  userId,
  schedules,
  ...structure
}: TaskModuleOptions): DynamicModule {
  const useValue = { defaultService, callbackUrl, deliverCallbacks, workerTokens, userId, schedules };
  return TaskModule.forRootAsync({
    ...structure,
    imports: [{ module: ValuesModule, providers: [{ provide: VALUES, useValue }], exports: [VALUES] }],
    inject: [VALUES],
    useFactory: async (values: typeof useValue) => values,
  });
}
