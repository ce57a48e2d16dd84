import { Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { type CreateTaskDto, TaskController, TaskError, type TaskJson, UserId } from '@softdd/task';
import type { Repository } from 'typeorm';
import { type VideoFields, VideoTask } from './video-task.entity.js';

export class VideoTaskController extends TaskController<VideoTask> {
  /** Overridden without decorators: path, validation, guards and documentation stay the queue's. */
  override async create(userId: string, body: CreateTaskDto & VideoFields): Promise<TaskJson> {
    const { title } = body;
    if (title !== undefined && (await this.videos.existsBy({ userId, title })))
      throw new TaskError('TITLE_TAKEN', { title });
    return super.create(userId, body);
  }

  /** A route of our own, decorated as usual, with its whole path: behind the same guards, in the same envelope. */
  @ApiOperation({ summary: 'Count own videos' })
  @ApiOkResponse({ description: 'How many there are, and how many are finished.' })
  @Get('/api/videos/stats')
  async stats(@UserId() userId: string): Promise<Record<string, number>> {
    const { FINISHED } = this.options.status;
    const total = await this.videos.countBy({ userId });
    const finished = await this.videos.countBy({ userId, status: FINISHED });
    return { total, finished };
  }

  private get videos(): Repository<VideoTask> {
    return this.tasks.dataSource.getRepository(VideoTask);
  }
}
