import { ApiPropertyOptional } from '@nestjs/swagger';
import { Task, type TaskJson } from '@softdd/task';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { Column, Entity } from 'typeorm';

/** A task with a column of our own, in a table of our own. The migration that adds the column stands beside. */
@Entity('video_tasks', { synchronize: false })
export class VideoTask extends Task {
  @ApiPropertyOptional({ type: String, description: 'Title of the video.', maxLength: 100, example: 'Our holidays' })
  @Column({ type: 'varchar', length: 100, nullable: true })
  title!: string | null;

  override toResponse(): TaskJson {
    return { ...super.toResponse(), title: this.title ?? '' };
  }
}

/** What users may send for our column, with POST and with PUT: validated and documented like the queue's own fields. */
export class VideoFields {
  @ApiPropertyOptional({ description: 'Title of the video.', maxLength: 100, example: 'Our holidays' })
  @MaxLength(100)
  @IsString()
  @IsOptional()
  title?: string;
}
