import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayNotEmpty, IsArray } from 'class-validator';
import { LIMITS } from '../../core/rules.js';
import { ReportTaskDto } from './report-task.dto.js';

/** One of many reports: it names its task itself. */
@ApiSchema({ name: 'reportOneTask' })
export class ReportOneTaskDto extends ReportTaskDto {
  @ApiProperty({ description: 'The task.', maxLength: 36, example: '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c' })
  taskId!: string;
}

@ApiSchema({ name: 'reportTasks' })
export class ReportTasksDto {
  @ApiProperty({
    type: [ReportOneTaskDto],
    description: 'Each is judged for itself.',
    minItems: 1,
    maxItems: LIMITS.reports,
  })
  @ArrayMaxSize(LIMITS.reports, { message: `reports must be at most ${LIMITS.reports}` })
  @ArrayNotEmpty({ message: 'reports must hold at least one report' })
  @IsArray({ message: 'reports must be a list of { taskId, … }' })
  reports!: unknown[];
}
