import { describe, expect, it } from '@jest/globals';
import { range } from '../../../src/dashboard/app/components/range.js';
import { filterOf, isClosed, queryOf } from '../../../src/dashboard/app/pages/tasks/filter.js';
import { suggestionsFor } from '../../../src/dashboard/app/pages/tasks/suggestions.js';

const ID = '01a21903-15d5-7000-8000-000000018678';

describe('the filter in the address', () => {
  it('has all conditions, and nothing else', () => {
    const query = {
      status: '-10',
      userId: 'alice',
      batchId: ID,
      error: 'CUDA',
      ids: 'a, b,a',
      createdFrom: '',
      other: 'x',
    };
    expect(filterOf(query)).toEqual({
      status: -10,
      userId: 'alice',
      batchId: ID,
      error: 'CUDA',
      ids: ['a', 'b'],
    });
    expect(filterOf(queryOf(filterOf(query)))).toEqual(filterOf(query));
  });

  it('leaves what is no number for the server to refuse', () =>
    expect(filterOf({ status: 'x' })).toEqual({ status: 'x' }));

  it('knows whether new tasks can fit', () => {
    expect([isClosed({}, 0), isClosed({ ids: [] }, 0), isClosed({ createdTo: '2020-01-01T00:00:00Z' }, 2e12)]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('what a typed text may mean', () => {
  const known = { service: ['mail', 'email'], userId: ['mallory'] };
  const texts = (text: string) => suggestionsFor(text, known).map(({ condition, value }) => `${condition} ${value}`);

  it('is what is known first, and then any condition', () =>
    expect(texts(' ma ')).toEqual([
      'service mail',
      'service email',
      'userId mallory',
      'service ma',
      'userId ma',
      'workerId ma',
      'group ma',
      'error ma',
    ]));

  it('says nothing twice', () => expect(texts('mail').filter((text) => text === 'service mail')).toHaveLength(1));
  it('is a task or a batch, if it looks like one', () =>
    expect(texts(ID)).toEqual([`open ${ID}`, `ids ${ID}`, `batchId ${ID}`]));
  it('is several, as they are pasted', () =>
    expect(texts(`"${ID}",\n${ID.replace('0', '1')}`)).toEqual([`ids ${ID},${ID.replace('0', '1')}`]));
  it('is nothing without a text', () => expect(texts('  ')).toEqual([]));
});

describe('a range of rows', () => {
  it('goes in both directions, and is one row if the other has gone', () => {
    const keys = ['a', 'b', 'c', 'd'];
    expect([range(keys, 'b', 'd'), range(keys, 'c', 'a'), range(keys, undefined, 'b'), range(keys, 'x', 'b')]).toEqual([
      ['b', 'c', 'd'],
      ['a', 'b', 'c'],
      ['b'],
      ['b'],
    ]);
  });
});
