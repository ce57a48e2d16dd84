import { ApiSchema } from '@nestjs/swagger';
import type { CatchUp, Overlap, ScheduledTask, ScheduleState } from '../../schedules/schedule.js';
import {
  SCHEDULE_RULES,
  scheduleCursorRule,
  scheduleLimitRule,
  scheduleStateRule,
} from '../../schedules/schedule.rules.js';
import { Field } from '../../validation/field.js';
import { userIdRule } from '../../validation/rules.js';

const R = SCHEDULE_RULES;

/** When which task is created, again and again. */
@ApiSchema({ name: 'scheduleSettings' })
export class ScheduleDto {
  @Field(R.cron, {
    description:
      'Minute, hour, day of month, month and day of week, or @hourly, @daily, @weekly, @monthly, @yearly. Either this ' +
      'or `every`.',
    example: '30 2 * * *',
  })
  cron?: string;

  @Field(R.every, { description: 'Seconds from one time to the next, counted from `startAt`, or from the first PUT.' })
  every?: number;

  @Field(R.timeZone, { description: 'The IANA time zone of `cron`. If absent: UTC.', example: 'Europe/London' })
  timeZone?: string;

  @Field(R.task, {
    description:
      'The task that is created: what a create takes, without `status` and `runAt`. In forms: its JSON text.',
    example: { input: 'nightly-report', service: 'reports' },
    required: true,
  })
  task!: ScheduledTask;

  @Field(R.overlap, {
    description:
      'While the last task has not ended: `skip` (the default) leaves the time out, `allow` creates another task, ' +
      '`buffer` creates one when the last task has ended.',
  })
  overlap?: Overlap;

  @Field(R.catchUp, {
    description:
      'Times that were missed, because no server was running: `none` leaves them out, `one` (the default) makes up for ' +
      'the latest, `all` for each.',
  })
  catchUp?: CatchUp;

  @Field(R.catchUpWindow, { description: 'Seconds after which a missed time is not made up for.', default: 3600 })
  catchUpWindow?: number;

  @Field(R.startAt, { description: 'No time before this one.' })
  startAt?: string;

  @Field(R.endAt, { description: 'No time after this one.' })
  endAt?: string;

  @Field(R.jitter, {
    description: 'The most seconds, at random, by which a task is late: it spreads schedules of the same time.',
    default: 0,
  })
  jitter?: number;

  @Field(R.paused, { description: 'Creates no tasks until it is resumed. If absent: as before.' })
  paused?: boolean;
}

@ApiSchema({ name: 'listSchedules' })
export class ListSchedulesDto {
  @Field(scheduleStateRule, {
    description: 'Only schedules in this state. A page may then be short although there are more.',
  })
  state?: ScheduleState;

  @Field(scheduleLimitRule, { description: 'The most schedules of one answer.', default: 50 })
  limit?: number;

  @Field(scheduleCursorRule, { description: 'The `nextCursor` of the answer before.' })
  cursor?: string;
}

@ApiSchema({ name: 'operatorListSchedules' })
export class OperatorListSchedulesDto extends ListSchedulesDto {
  @Field(userIdRule, { description: 'Only schedules of this owner.' })
  userId?: string;
}

/** Whose schedule: its key is unique only for its owner. */
@ApiSchema({ name: 'scheduleOwner' })
export class ScheduleOwnerDto {
  @Field(userIdRule, { description: 'The owner of the schedule.', example: 'alice', required: true })
  userId!: string;
}
