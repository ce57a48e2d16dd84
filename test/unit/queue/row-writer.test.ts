import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { fromNow, NOW } from '../../../src/database/clock.js';
import { type Cell, Shape } from '../../../src/database/rows.js';
import { at, rowWriter, taskFiller } from '../../../src/queue/stores/row-writer.js';

const COLUMNS = [
  { name: 'id', property: 'taskId', initial: null },
  { name: `it's "odd"\n]`, property: '`${odd}`', initial: 0 },
  { name: 'run_at', property: 'runAt', initial: null },
  { name: 'error', property: 'error', initial: null },
];
const TIME = new Date('2026-11-27T00:39:15.499Z');
const LATER = new Date(TIME.getTime() + 2500);
const refuseCode = (): void => {
  jest.spyOn(globalThis, 'Function').mockImplementation(() => {
    throw new EvalError('Code generation from strings disallowed for this context');
  });
};

describe.each([
  ['made code', () => undefined],
  ['a loop, where Node makes no code from text', refuseCode],
])('rows to write, by %s', (_, prepare) => {
  afterEach(() => {
    jest.restoreAllMocks();
  });
  const written = (values: Record<string, unknown>, now?: Date): [Cell[], string[]] => {
    prepare();
    const cells: Cell[] = [];
    const { columns } = rowWriter(COLUMNS)(values, now, cells, new Shape());
    return [cells, columns];
  };

  it('have the columns of what is given, in their order', () => {
    expect(written({ error: null, taskId: 'a', other: 1, runAt: undefined })).toEqual([
      ['a', null],
      ['id', 'error'],
    ]);
    expect(written({ [COLUMNS[1]!.property]: 7 })).toEqual([[7], [COLUMNS[1]!.name]]);
  });

  it('have the same shape for the same columns, and another one where other cells are null', () => {
    prepare();
    const start = new Shape();
    const write = rowWriter(COLUMNS);
    const shapeOf = (values: Record<string, unknown>): Shape => write(values, undefined, [], start);
    expect(shapeOf({ taskId: 'a', error: 'b' })).toBe(shapeOf({ error: 'c', taskId: 'd' }));
    expect(shapeOf({ taskId: 'a', error: 'b' })).not.toBe(shapeOf({ taskId: 'a', error: null }));
  });

  it('hold times that are relative to the time of the write, if it is known', () => {
    expect(written({ runAt: fromNow(2.5), error: NOW }, TIME)[0]).toEqual([LATER, TIME]);
    expect(written({ runAt: fromNow(2.5) })[0]).toEqual([fromNow(2.5)]);
  });

  it('become a new task, with what columns have that were not given', () => {
    prepare();
    const task = {};
    taskFiller(COLUMNS)(task, { taskId: 'a', runAt: fromNow(2.5), error: undefined }, TIME);
    expect(task).toEqual({ taskId: 'a', '`${odd}`': 0, runAt: LATER, error: null });
  });
});

it('a value that is no time from now stays as it is', () => {
  expect([at('text', TIME), at(null, TIME), at(LATER, TIME)]).toEqual(['text', null, LATER]);
});
