import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TaskModule, taskMigrations } from '@softdd/task';
import { AddVideoTitle1764000000000 } from './add-video-title.migration.js';
import { UserGuard } from './user.guard.js';
import { VIDEO_ERRORS, VIDEO_STATUS, VideoResponse } from './video-task.contract.js';
import { VideoTaskController } from './video-task.controller.js';
import { VideoFields, VideoTask } from './video-task.entity.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      driver: createRequire(import.meta.url)('libsql') as unknown,
      database: process.env.DATABASE ?? 'host-app.sqlite',
      autoLoadEntities: true,
      // The queue's migrations and ours, in one list: first the table, then our column.
      migrations: [...taskMigrations({ table: 'video_tasks', status: VIDEO_STATUS }), AddVideoTitle1764000000000],
      migrationsRun: true,
    }),
    TaskModule.forRootAsync({
      // What shapes routes and documents is given here …
      entity: VideoTask,
      dto: VideoFields,
      controller: VideoTaskController,
      status: VIDEO_STATUS,
      error: VIDEO_ERRORS,
      response: VideoResponse,
      guards: [UserGuard],
      postTaskUri: '/api/videos',
      getTaskListUri: '/api/videos',
      deleteTaskUri: '/api/videos',
      getTaskUri: '/api/videos/{taskId}',
      putTaskUri: '/api/videos/{taskId}',
      getCronTaskUri: '/api/video-jobs',
      putCronTaskUri: '/api/video-jobs/{taskId}',
      // … and plain values come from wherever you keep them.
      useFactory: () => ({
        defaultService: 'transcode',
        workerTokens: [process.env.WORKER_TOKEN ?? 'change-me-change-me'],
        callbackUrl: process.env.CALLBACK_URL,
      }),
    }),
  ],
})
export class AppModule {}
