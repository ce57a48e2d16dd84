import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { BOUNDS, reportsRule } from '../../validation/rules.js';
import { Field, toList } from '../../validation/field.js';
import { ReportTaskDto } from './report-task.dto.js';

/** One of many reports: it names its task itself. */
@ApiSchema({ name: 'reportOneTask' })
export class ReportOneTaskDto extends ReportTaskDto {
  @ApiProperty({ description: 'The task.', maxLength: 36 })
  taskId!: string;
}

@ApiSchema({ name: 'reportTasks' })
export class ReportTasksDto {
  @ApiProperty({
    type: [ReportOneTaskDto],
    description: 'Each is judged for itself.',
    minItems: 1,
    maxItems: BOUNDS.reports,
  })
  @Field(reportsRule, { to: toList, required: true })
  reports!: unknown[];
}
