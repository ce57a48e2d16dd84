import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { LIMITS, reportsRule } from '../../core/rules.js';
import { Field } from '../field.js';
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
  @Field(reportsRule, { required: true })
  reports!: unknown[];
}
