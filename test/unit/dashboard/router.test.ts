import { describe, expect, it } from '@jest/globals';
import { hashOf, parseHash } from '../../../src/dashboard/app/router.js';

describe('addresses in the page', () => {
  it.each([
    [[], {}, '#/'],
    [['tasks'], {}, '#/tasks'],
    [['tasks', 'a/b?c#d 你'], {}, '#/tasks/a%2Fb%3Fc%23d%20%E4%BD%A0'],
    [['tasks'], { status: '-10', error: 'CUDA & "out" = 100 %?#' }, undefined],
  ] as [string[], Record<string, string>, string | undefined][])('%j %j', (path, query, hash) => {
    const written = hashOf(path, query);
    if (hash !== undefined) expect(written).toBe(hash);
    expect(parseHash(written)).toEqual({ path, query });
  });

  it('leaves out what is empty', () =>
    expect(hashOf(['tasks'], { status: '', service: undefined, group: 'x' })).toBe('#/tasks?group=x'));

  it.each(['', '#', '#/', 'nonsense', '#/%E4%'])('reads %j without an error', (hash) =>
    expect(parseHash(hash)).toMatchObject({ query: {} }),
  );
});
