import { describe, expect, it } from '@jest/globals';
import { everySeconds } from '../../../src/schedules/cadence.js';
import { type DueSchedule, plan } from '../../../src/schedules/plan.js';
import type { Definition } from '../../../src/schedules/schedule.js';

const at = (time: string): Date => new Date(`2026-01-01T${time}Z`);
/** Each hour. */
const HOURLY = everySeconds(3600, at('00:00:00'));
const week: Pick<Definition, 'catchUpWindow'> = { catchUpWindow: 7 * 86_400 };

function planned(now: string, due: Partial<DueSchedule>, definition: Partial<Definition> = {}) {
  const { create, skipped, nextFor, waitsFor } = plan(
    {
      nextFor: at('01:00:00'),
      waitsFor: null,
      isRunning: false,
      ...due,
      definition: { overlap: 'skip', catchUp: 'one', catchUpWindow: 3600, jitter: 0, ...definition },
    },
    HOURLY,
    at(now),
  );
  const text = (time: Date | null | undefined) => time?.toISOString().slice(11, 19) ?? null;
  return { create: create.map(text), skipped: text(skipped), next: text(nextFor), waits: text(waitsFor) };
}

describe('what becomes of a schedule that is due', () => {
  it.each([
    ['in time', '01:00:01', {}, {}, ['01:00:00'], null, '02:00:00', null],
    [
      'a little late, though nothing is made up for',
      '01:00:30',
      {},
      { catchUp: 'none' },
      ['01:00:00'],
      null,
      '02:00:00',
      null,
    ],
    ['late, and nothing is made up for', '01:30:00', {}, { catchUp: 'none' }, [], null, '02:00:00', null],
    ['six times missed: one', '06:30:00', {}, week, ['06:00:00'], null, '07:00:00', null],
    [
      'late by its jitter, though nothing is made up for',
      '01:30:00',
      {},
      { catchUp: 'none', jitter: 1800 },
      ['01:00:00'],
      null,
      '02:00:00',
      null,
    ],
    [
      'late by a jitter that is longer than the window',
      '01:50:00',
      {},
      { catchUpWindow: 60, jitter: 3000 },
      ['01:00:00'],
      null,
      '02:00:00',
      null,
    ],
    ['missed before the window', '06:30:00', {}, { catchUpWindow: 60 }, [], null, '07:00:00', null],
    [
      'six times missed: all, and they may overlap',
      '06:30:00',
      {},
      { ...week, catchUp: 'all', overlap: 'allow' },
      ['01:00:00', '02:00:00', '03:00:00', '04:00:00', '05:00:00', '06:00:00'],
      null,
      '07:00:00',
      null,
    ],
    ['the last task runs: left out', '01:00:01', { isRunning: true }, {}, [], '01:00:00', '02:00:00', null],
    [
      'the last task runs: allowed',
      '01:00:01',
      { isRunning: true },
      { overlap: 'allow' },
      ['01:00:00'],
      null,
      '02:00:00',
      null,
    ],
    [
      'the last task runs: waits for its end',
      '01:00:01',
      { isRunning: true },
      { overlap: 'buffer' },
      [],
      null,
      '02:00:00',
      '01:00:00',
    ],
    [
      'another one waits already',
      '02:00:01',
      { isRunning: true, nextFor: at('02:00:00'), waitsFor: at('01:00:00') },
      { overlap: 'buffer' },
      [],
      null,
      '03:00:00',
      '01:00:00',
    ],
    [
      'the last task has ended: the one that waited',
      '01:20:00',
      { nextFor: at('02:00:00'), waitsFor: at('01:00:00') },
      { overlap: 'buffer' },
      ['01:00:00'],
      null,
      '02:00:00',
      null,
    ],
    [
      'it has ended, and the next one is due, too',
      '02:00:01',
      { nextFor: at('02:00:00'), waitsFor: at('01:00:00') },
      { overlap: 'buffer' },
      ['01:00:00'],
      null,
      '03:00:00',
      '02:00:00',
    ],
    ['not yet', '00:59:59', {}, {}, [], null, '01:00:00', null],
    ['it has no more times', '01:00:01', { nextFor: null }, {}, [], null, null, null],
  ] as const)('%s', (_, now, due, definition, create, skipped, next, waits) => {
    expect(planned(now, due, definition as Partial<Definition>)).toEqual({ create, skipped, next, waits });
  });
});
