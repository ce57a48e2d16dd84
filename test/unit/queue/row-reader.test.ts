import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { isoTime } from '../../../src/contract/iso-time.js';
import { readTime } from '../../../src/database/read-time.js';
import { rowReader } from '../../../src/queue/stores/row-reader.js';

const COLUMNS = [
  { name: 'id', property: 'taskId', isTime: false },
  { name: 'created_at', property: 'createdAt', isTime: true },
  { name: `it's "odd"\n]`, property: '`${odd}`', isTime: false },
  { name: 'run_at', property: 'runAt', isTime: true },
];
const ROW = { id: 'a', created_at: '2026-11-27T00:39:15.499000Z', [COLUMNS[2]!.name]: 7, run_at: null };
const TASK = { taskId: 'a', createdAt: new Date('2026-11-27T00:39:15.499Z'), '`${odd}`': 7, runAt: null };

describe('the reader of rows', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });
  const read = (): object => {
    const task = {};
    rowReader(COLUMNS)(task, ROW);
    return task;
  };

  it('sets properties from columns of any name', () => {
    expect(read()).toEqual(TASK);
  });

  it('reads the same where Node makes no code from text', () => {
    const making = jest.spyOn(globalThis, 'Function').mockImplementation(() => {
      throw new EvalError('Code generation from strings disallowed for this context');
    });
    expect(read()).toEqual(TASK);
    expect(making).toHaveBeenCalled();
  });
});

describe('times', () => {
  const START = Date.parse('2026-02-28T23:59:59.000Z');
  const times = Array.from({ length: 2500 }, (_, index) => new Date(START + index * 1201));

  it('are read and written right, known ones and new ones', () => {
    for (const time of [...times, ...times]) {
      expect(readTime(time.toISOString().replace('Z', '000Z'))).toEqual(time);
      expect(readTime(time.getTime())).toEqual(time);
      expect(isoTime(time)).toBe(time.toISOString());
    }
    expect([readTime(null), isoTime(null), isoTime(undefined)]).toEqual([null, null, null]);
    expect(isoTime(new Date(-1))).toBe('1969-12-31T23:59:59.999Z');
  });

  it('belong to their task alone', () => {
    const text = '2026-11-27T00:00:00.000Z';
    readTime(text)!.setFullYear(1999);
    expect(readTime(text)).toEqual(new Date(text));
  });
});
