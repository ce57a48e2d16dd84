import { Delete, Get, Injectable, Param, Post, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { InjectOwnTaskService, InjectTaskOptions } from '../contract/registration.js';
import type { Task, TaskJson } from '../contract/task.entity.js';
import type { Schedule, ScheduleSettings } from '../schedules/schedule.js';
import type { TaskService } from '../service/task.service.js';
import { ListSchedulesDto, ScheduleDto } from './dto/schedule.dto.js';
import { UserId } from './guards/user.guard.js';
import type { HttpSettings } from './http.options.js';
import { TaskInput } from './request/input.js';

/** A schedule as its owner sees it. */
export type ScheduleJson = Omit<Schedule, 'userId'>;

/** The schedules of users. Option `scheduleUri` switches them on. A host extends it as it does `TaskController`. */
@Injectable()
export class ScheduleController<T extends Task = Task> {
  @InjectTaskOptions() protected readonly options!: HttpSettings;
  @InjectOwnTaskService() protected readonly tasks!: TaskService<T>;

  @ApiOperation({
    summary: 'Create a schedule, or replace its settings',
    description:
      'The same settings again change nothing. Another `cron`, `every`, `timeZone`, `startAt` or `endAt` counts from ' +
      'now on. TOO_MANY_TASK: the owner has as many schedules as option `maxSchedules` allows.',
  })
  @Put()
  async set(
    @UserId() userId: string,
    @Param('key') key: string,
    @TaskInput('PUT') body: ScheduleDto,
  ): Promise<ScheduleJson> {
    const { maxSchedules, minInterval } = this.options;
    const settings = body as unknown as ScheduleSettings<T>;
    return this.present(await this.tasks.schedules.set(key, settings, { userId }, { maxSchedules, minInterval }));
  }

  @ApiOperation({ summary: 'List own schedules, in the order of their keys' })
  @Get()
  async list(
    @UserId() userId: string,
    @TaskInput('GET') query: ListSchedulesDto,
  ): Promise<{ list: ScheduleJson[]; nextCursor: string | null }> {
    const { list, nextCursor } = await this.tasks.schedules.list({ ...query, userId });
    return { list: list.map((schedule) => this.present(schedule)), nextCursor };
  }

  @ApiOperation({ summary: 'Show a schedule, with its next five times' })
  @Get()
  async get(@UserId() userId: string, @Param('key') key: string): Promise<ScheduleJson> {
    return this.present(await this.tasks.schedules.get(key, { userId }));
  }

  @ApiOperation({ summary: 'Delete a schedule', description: 'Its tasks stay.' })
  @Delete()
  async remove(@UserId() userId: string, @Param('key') key: string): Promise<{ key: string }> {
    await this.tasks.schedules.delete(key, { userId });
    return { key };
  }

  @ApiOperation({ summary: 'Pause a schedule', description: 'It creates no tasks until it is resumed.' })
  @Post()
  async pause(@UserId() userId: string, @Param('key') key: string): Promise<ScheduleJson> {
    return this.present(await this.tasks.schedules.pause(key, { userId }));
  }

  @ApiOperation({
    summary: 'Resume a schedule',
    description: 'It goes on with its next time. What was missed while it was paused is not made up for.',
  })
  @Post()
  async resume(@UserId() userId: string, @Param('key') key: string): Promise<ScheduleJson> {
    return this.present(await this.tasks.schedules.resume(key, { userId }));
  }

  @ApiOperation({
    summary: 'Create the task of a schedule now',
    description: 'Also while the last task runs, or the schedule is paused. Its times stay.',
  })
  @Post()
  async run(@UserId() userId: string, @Param('key') key: string): Promise<TaskJson> {
    const task = await this.tasks.schedules.run(key, { userId });
    return task.toResponse();
  }

  /** What its owner sees of a schedule. */
  protected present({ userId: _, ...schedule }: Schedule): ScheduleJson {
    return schedule;
  }
}
