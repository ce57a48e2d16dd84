import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Field } from '../../validation/field.js';
import { BOUNDS, reportsRule } from '../../validation/rules.js';
import { ReportTaskDto } from './report-task.dto.js';

/** One of several reports in a request. It names its task. */
@ApiSchema({ name: 'reportOneTask' })
export class ReportOneTaskDto extends ReportTaskDto {
  @ApiProperty({ description: 'Id of the task.', maxLength: 36 })
  taskId!: string;
}

@ApiSchema({ name: 'reportTasks' })
export class ReportTasksDto {
  @ApiProperty({
    type: [ReportOneTaskDto],
    description: 'Each report is judged separately.',
    minItems: 1,
    maxItems: BOUNDS.reports,
  })
  @Field(reportsRule, { required: true })
  reports!: unknown[];
}
