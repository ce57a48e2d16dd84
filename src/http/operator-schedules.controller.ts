import { Delete, Get, Injectable, Param, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { InjectOwnTaskService } from '../contract/registration.js';
import type { Task, TaskJson } from '../contract/task.entity.js';
import type { Schedule } from '../schedules/schedule.js';
import type { ScheduleList } from '../schedules/schedules.js';
import type { TaskService } from '../service/task.service.js';
import { OperatorListSchedulesDto, ScheduleOwnerDto } from './dto/schedule.dto.js';
import { OperatorName } from './guards/operator-name.js';
import { TaskInput } from './request/input.js';

/** A task as operators see it. */
export type OperatorTaskJson = TaskJson & { userId: string; workerId: string | null };

/** The part of the routes for operators that is about schedules. */
@Injectable()
export abstract class OperatorSchedulesController<T extends Task = Task> {
  @InjectOwnTaskService() protected readonly tasks!: TaskService<T>;

  @ApiOperation({ summary: 'List the schedules of all owners, in the order of owners and keys' })
  @Get()
  async schedules(@TaskInput('GET') query: OperatorListSchedulesDto): Promise<ScheduleList> {
    return this.tasks.operator.schedules.list(query);
  }

  @ApiOperation({ summary: 'Show a schedule of any owner' })
  @Get()
  async schedule(@Param('key') key: string, @TaskInput('GET') { userId }: ScheduleOwnerDto): Promise<Schedule> {
    return this.tasks.operator.schedules.get({ userId, key });
  }

  @ApiOperation({ summary: 'Pause a schedule', description: 'It creates no tasks until it is resumed.' })
  @Post()
  async pauseSchedule(
    @Param('key') key: string,
    @TaskInput('POST') { userId }: ScheduleOwnerDto,
    @OperatorName() by?: string,
  ): Promise<Schedule> {
    return this.tasks.operator.schedules.pause({ userId, key }, { by });
  }

  @ApiOperation({ summary: 'Resume a schedule', description: 'It goes on with its next time.' })
  @Post()
  async resumeSchedule(
    @Param('key') key: string,
    @TaskInput('POST') { userId }: ScheduleOwnerDto,
    @OperatorName() by?: string,
  ): Promise<Schedule> {
    return this.tasks.operator.schedules.resume({ userId, key }, { by });
  }

  @ApiOperation({ summary: 'Create the task of a schedule now', description: 'Its times stay.' })
  @Post()
  async runSchedule(
    @Param('key') key: string,
    @TaskInput('POST') { userId }: ScheduleOwnerDto,
    @OperatorName() by?: string,
  ): Promise<OperatorTaskJson> {
    return this.present(await this.tasks.operator.schedules.run({ userId, key }, { by }));
  }

  @ApiOperation({ summary: 'Delete a schedule', description: 'Its tasks stay.' })
  @Delete()
  async removeSchedule(
    @Param('key') key: string,
    @TaskInput('DELETE') { userId }: ScheduleOwnerDto,
    @OperatorName() by?: string,
  ): Promise<{ key: string }> {
    await this.tasks.operator.schedules.delete({ userId, key }, { by });
    return { key };
  }

  /** What operators see of a task. */
  protected present(task: T): OperatorTaskJson {
    return { ...task.toResponse(), userId: task.userId, workerId: task.workerId };
  }
}
