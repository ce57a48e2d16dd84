import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { rowMaker } from '../../../src/database/row-maker.js';

describe('the maker of rows', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('names the cells, whatever the columns are called', () => {
    const odd = `it's "odd"\n]`;
    expect(rowMaker(['id', odd, '`${n}`'])(['a', null, 7])).toEqual({ id: 'a', [odd]: null, '`${n}`': 7 });
  });

  it('has the last of two columns of one name, as the drivers do', () => {
    expect(rowMaker(['id', 'n', 'id'])([1, 2, 3])).toEqual({ id: 3, n: 2 });
  });

  it('is remembered, and others are not taken for it', () => {
    const maker = rowMaker(['a', 'b']);
    expect(rowMaker(['a', 'b'])).toBe(maker);
    expect(rowMaker(['a\nb'])([1])).toEqual({ 'a\nb': 1 });
    for (let n = 0; n < 2500; n++) expect(rowMaker(['a', `b${n}`])([1, n])).toEqual({ a: 1, [`b${n}`]: n });
    expect(rowMaker(['a', 'b'])([1, 2])).toEqual({ a: 1, b: 2 });
  });

  it('makes the same where Node makes no code from text', () => {
    const making = jest.spyOn(globalThis, 'Function').mockImplementation(() => {
      throw new EvalError('Code generation from strings disallowed for this context');
    });
    expect(rowMaker(['without', 'code'])([1, null])).toEqual({ without: 1, code: null });
    expect(making).toHaveBeenCalled();
  });
});
