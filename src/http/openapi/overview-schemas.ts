import { COUNTERS } from '../../schema/tables/metrics.table.js';
import type { Schema } from './envelope.js';
import { orNull, text, time, WAIT, whole } from './operator-schemas.js';
import { list, object } from './schema-parts.js';

const timed = (description: string): Schema => ({
  ...object({
    mean: orNull(whole('The mean.')),
    p95: orNull(whole('95 of 100 took no longer, estimated from a histogram.')),
  }),
  description,
});

const activity = {
  ...Object.fromEntries(COUNTERS.map((name) => [name, whole(`Tasks ${name}.`)])),
  waitMs: timed('Milliseconds from ready to claimed.'),
  runMs: timed('Milliseconds from the claim to the report that ended the attempt.'),
};

const SERVICE = object({
  service: text('Its name. Empty: the services beyond the 200 that are told apart.'),
  ready: whole('Tasks that a worker can claim.'),
  waiting: whole('Tasks that wait for their time.'),
  running: whole('Tasks that a worker has.'),
  oldestReadySeconds: orNull({
    type: 'number',
    description: 'Seconds for which the oldest ready task has been ready.',
  }),
  atLeast: list('Those of the numbers at which counting ended: there may be more.', { type: 'string' }),
  paused: { type: 'boolean', description: 'Whether claims find no task of it now.' },
  pausedUntil: orNull(time('When the pause ends by itself.')),
  note: orNull(text('Why, in the words of an operator.')),
  maxRunning: orNull(whole('The most tasks that run at once. null: there is no limit.')),
  wait: WAIT,
  owners: orNull({
    ...object({
      lookedAt: whole('Tasks that were looked at: the next 1,000 that claims would find.'),
      list: list(
        'Most tasks first, ready or running, at most 5.',
        object({
          userId: text('The owner.'),
          ready: whole('Those of the tasks that are theirs.'),
          running: orNull(whole('Tasks of theirs that run. null: owners take no turns, and nobody has a limit.')),
        }),
      ),
    }),
    description:
      'Whose the next of its ready tasks are. null: fewer than 100 are ready and owners take no turns, or 20 services have more.',
  }),
  last5m: { ...object(activity), description: 'What happened in the last 5 minutes.' },
  last60m: { ...object(activity), description: 'What happened in the last 60 minutes.' },
});

export const OVERVIEW = object({
  services: list('In the order of the names.', SERVICE),
  callbacks: object({
    pending: whole('Callbacks to be delivered, counted up to 100,000.'),
    dead: whole('Callbacks that were given up, counted up to 100,000.'),
    oldestPendingSeconds: orNull({ type: 'number', description: 'Seconds for which the oldest has been pending.' }),
    deadOrigins: list(
      'Where the newest 1,000 dead ones should have gone: the 10 origins with most of them.',
      object({ origin: text('Such as https://app.example.com.'), dead: whole('Those of them.') }),
    ),
  }),
  workers: whole('Workers that hold tasks, counted up to 1,000.'),
  access: {
    type: 'string',
    enum: ['all', 'read'],
    description: 'What the operator who asks may do: everything, or only read.',
  },
  server: object({
    version: text('The version of @softdd/task.'),
    engine: text('The database.'),
    engineVersion: text('Its version.'),
  }),
  time: time('When this was read.'),
});

export const STATS = object({
  from: time('Its begin, rounded to a step.'),
  to: time('Its end, rounded to a step.'),
  step: whole('Seconds of a point.'),
  points: list('One for each step, in order of time.', object({ time: time('When the step begins.'), ...activity })),
});
