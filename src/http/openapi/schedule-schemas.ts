import { CATCH_UPS, OVERLAPS, SCHEDULE_STATES } from '../../schedules/schedule.js';
import type { Schema } from './envelope.js';
import { orNull, text, time, whole } from './operator-schemas.js';
import { list, object } from './schema-parts.js';

const RUN = object({
  scheduledFor: time('The time.'),
  taskId: orNull(text('Its task. null: there is none.')),
  error: orNull(text('Why there is none.')),
});

const SHOWN: Record<string, Schema> = {
  key: text('The name that its owner gave it.'),
  cron: orNull(text('null: `every` says its times.')),
  every: orNull(whole('Seconds from one time to the next. null: `cron` says its times.')),
  timeZone: text('The time zone of `cron`.'),
  task: { type: 'object', additionalProperties: true, description: 'The task that is created.' },
  overlap: { type: 'string', enum: [...OVERLAPS], description: 'What happens while the last task has not ended.' },
  catchUp: { type: 'string', enum: [...CATCH_UPS], description: 'Which missed times are made up for.' },
  catchUpWindow: whole('Seconds after which a missed time is not made up for.'),
  startAt: orNull(time('No time before this one.')),
  endAt: orNull(time('No time after this one.')),
  jitter: whole('The most seconds by which a task is late.'),
  paused: { type: 'boolean', description: 'Whether it creates no tasks.' },
  state: {
    type: 'string',
    enum: [...SCHEDULE_STATES],
    description: '`active`: there are times to come. `ended`: there are none.',
  },
  next: list('The next five times.', { type: 'string', format: 'date-time' }),
  last: orNull({
    ...object({ scheduledFor: time('The time.'), taskId: text('Its task.') }),
    description: 'The last task that it created at one of its times.',
  }),
  runs: list('The last 20 times, newest first.', RUN),
  createdAt: time('When it was created.'),
  updatedAt: time('When its settings changed last.'),
};

export const SCHEDULE = object(SHOWN);
export const OPERATOR_SCHEDULE = object({ ...SHOWN, userId: text('The owner.') });
