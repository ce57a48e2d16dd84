import { describe, expect, it } from '@jest/globals';
import { everySeconds } from '../../../src/schedules/cadence.js';
import { definitionOf, timesOf } from '../../../src/schedules/definition.js';
import { changesOfClocks, minuteByMinute } from './fixtures/minute-by-minute.js';

const task = { input: 'x' };
const timesOfCron = (cron: string, timeZone: string) =>
  timesOf(definitionOf({ cron, timeZone, task }, { minInterval: 1 }), new Date(0));

function times(cron: string, timeZone: string, from: string, count: number): string[] {
  const cadence = timesOfCron(cron, timeZone);
  const found: Date[] = [];
  for (let n = 0; n < count; n++) found.push(cadence.after(found.at(-1) ?? new Date(from))!);
  return found.map((time) => time.toISOString().replace(':00.000Z', 'Z'));
}

describe('the times of a cron expression', () => {
  it('at a fixed time of day come right after a gap of the clock', () => {
    expect(times('30 1 * * *', 'Europe/London', '2025-03-29T12:00Z', 2)).toEqual([
      '2025-03-30T01:00Z',
      '2025-03-31T00:30Z',
    ]);
    // A midnight that does not exist.
    expect(times('0 0 * * *', 'Africa/Cairo', '2025-04-24T12:00Z', 2)).toEqual([
      '2025-04-24T22:00Z',
      '2025-04-25T21:00Z',
    ]);
    // A gap of half an hour.
    expect(times('15 2 * * *', 'Australia/Lord_Howe', '2025-10-04T12:00Z', 2)).toEqual([
      '2025-10-04T15:30Z',
      '2025-10-05T15:15Z',
    ]);
  });

  it('at a fixed time of day come once when the clock repeats an hour', () => {
    expect(times('30 1 * * *', 'Europe/London', '2025-10-25T12:00Z', 2)).toEqual([
      '2025-10-26T00:30Z',
      '2025-10-27T01:30Z',
    ]);
    // Asked within the repeated hour, after the first time.
    expect(times('30 1 * * *', 'Europe/London', '2025-10-26T00:45Z', 1)).toEqual(['2025-10-27T01:30Z']);
  });

  it('with a wildcard in minutes or hours keep their interval', () => {
    expect(times('30 * * * *', 'Europe/London', '2025-10-26T00:00Z', 4)).toEqual([
      '2025-10-26T00:30Z',
      '2025-10-26T01:30Z',
      '2025-10-26T02:30Z',
      '2025-10-26T03:30Z',
    ]);
    expect(times('*/30 * * * *', 'America/New_York', '2025-03-09T06:15Z', 3)).toEqual([
      '2025-03-09T06:30Z',
      '2025-03-09T07:00Z',
      '2025-03-09T07:30Z',
    ]);
  });

  it('are those that a look at every minute finds, around every change of clocks in ten years', () => {
    const crons = [
      '30 1 * * *',
      '0 0 * * *',
      '15 2 * * *',
      '*/20 1-3 * * *',
      '5,35 * * * 0',
      '45 1,2 1-7 * 6',
      '10 */2 * 3,4,9-11 *',
    ];
    const zones = ['Europe/London', 'America/New_York', 'Africa/Cairo', 'Australia/Lord_Howe', 'Asia/Shanghai'];
    const day = 86_400_000;
    for (const zone of zones) {
      const changes = changesOfClocks(zone, 2020, 2030);
      // Cairo had no summer time for some years, Shanghai has none.
      for (const [place, change] of [...changes, Date.UTC(2024, 1, 28)].entries()) {
        const cron = crons[place % crons.length]!;
        const [from, to] = [change - day, change + 2 * day];
        const cadence = timesOfCron(cron, zone);
        const found: string[] = [];
        for (let time = cadence.after(new Date(from)); time && time.getTime() <= to; time = cadence.after(time))
          found.push(time.toISOString());
        expect({ cron, zone, found }).toEqual({ cron, zone, found: minuteByMinute(cron, zone, from, to) });
      }
    }
  });

  it('end with the calendar: February 30 never comes, February 29 does', () => {
    expect(() => timesOfCron('0 0 30 2 *', 'UTC')).toThrow();
    expect(times('0 0 29 2 *', 'UTC', '2025-01-01T00:00Z', 2)).toEqual(['2028-02-29T00:00Z', '2032-02-29T00:00Z']);
  });
});

it('times of an interval count from its anchor, which is the first', () => {
  const every = everySeconds(90, new Date('2026-01-01T00:00:00Z'));
  const after = (time: string) => every.after(new Date(time))?.toISOString();
  expect(after('2025-01-01T00:00:00Z')).toBe('2026-01-01T00:00:00.000Z');
  expect(after('2026-01-01T00:00:00Z')).toBe('2026-01-01T00:01:30.000Z');
  expect(after('2026-01-01T00:01:29.999Z')).toBe('2026-01-01T00:01:30.000Z');
});

it.each([
  ['* * * *', /4 fields instead of 5/],
  ['', /0 fields instead of 5/],
  ['0 0 * * * *', /6 fields instead of 5/],
  ['60 * * * *', /60/],
  ['@reboot', /the names are/],
  ['H * * * *', /H is not understood/],
  ['0 0 L * *', /L is not understood/],
  ['0 0 * * 1#2', /1#2 is not understood/],
  ['0 0 31 2 *', /none of its months has such a day/],
  [`0 ${'1,'.repeat(100)}1 * * *`, /more than 200 characters/],
])('refuses the cron expression %p with a remedy', (cron, why) => {
  try {
    definitionOf({ cron, task }, { minInterval: 1 });
    throw new Error('it was taken');
  } catch (error) {
    const [problem] = (error as { detail: { field: string; rule: string; msg: string }[] }).detail;
    expect(problem).toMatchObject({ field: 'cron', rule: 'cron', msg: expect.stringMatching(why) });
  }
});
