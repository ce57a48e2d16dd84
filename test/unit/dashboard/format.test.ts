import { describe, expect, it } from '@jest/globals';
import { pretty } from '../../../src/dashboard/app/format/json.js';
import { count, percent } from '../../../src/dashboard/app/format/number.js';
import { absolute, duration, relative } from '../../../src/dashboard/app/format/time.js';

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [-5, '0 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [1230, '1.2 s'],
    [9960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [200_000, '3 min 20 s'],
    [3_600_000, '1 h'],
    [7_530_000, '2 h 5 min'],
    [86_400_000 * 3 + 4 * 3_600_000, '3 d 4 h'],
  ])('%d ms: %s', (ms, text) => expect(duration(ms, 'en')).toBe(text));

  it('are in Chinese, too', () => expect(duration(200_000, 'zh')).toBe('3 分 20 秒'));
});

describe('relative times', () => {
  const NOW = Date.parse('2026-03-01T12:00:00Z');
  it.each([
    [0, 'now'],
    [-5000, '5 sec. ago'],
    [-200_000, '3 min. ago'],
    [2 * 3_600_000, 'in 2 hr.'],
    [-86_400_000, 'yesterday'],
    [-10 * 86_400_000, '10 days ago'],
  ])('%d ms from now: %s', (by, text) => expect(relative(NOW + by, NOW, 'en')).toBe(text));
});

describe('whole times', () => {
  const TIME = Date.parse('2026-03-01T23:30:05Z');
  it('are in UTC, or in the zone of the reader', () => {
    expect(absolute(TIME, 'en', true)).toBe('03/01/2026, 23:30:05 UTC');
    expect(absolute(TIME, 'en', false, 'Asia/Shanghai')).toBe('03/02/2026, 07:30:05 GMT+8');
    expect(absolute(TIME, 'zh', true)).toContain('23:30:05');
  });
});

describe('numbers', () => {
  it('say where counting ended', () => {
    expect(count(1204, 'en')).toBe('1,204');
    expect(count(100_000, 'en', true)).toBe('100,000+');
  });

  it.each([
    [0, 0, '0%'],
    [0, 10, '0%'],
    [1, 1000, '1%'],
    [999, 1000, '99%'],
    [42, 100, '42%'],
    [5, 5, '100%'],
  ])('%d of %d: %s', (part, whole, text) => expect(percent(part, whole, 'en')).toBe(text));
});

describe('JSON', () => {
  it('keeps numbers of 64 bits, and the order and the text of everything else', () => {
    const text = '{"id":9007199254740993,"b":[1.10,{"x":"a,{\\"\\u0041"}],"empty":{},"none":[],"n":null}';
    expect(pretty(text)).toEqual({
      isJson: true,
      text: [
        '{',
        '  "id": 9007199254740993,',
        '  "b": [',
        '    1.10,',
        '    {',
        '      "x": "a,{\\"\\u0041"',
        '    }',
        '  ],',
        '  "empty": {},',
        '  "none": [],',
        '  "n": null',
        '}',
      ].join('\n'),
    });
  });

  it.each(['', 'a.mp4', '42', '{"cut', '[1,]', '"text"'])('leaves %j as it is', (text) =>
    expect(pretty(text)).toEqual({ text, isJson: false }),
  );
});
