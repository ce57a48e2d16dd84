import { describe, expect, it } from '@jest/globals';
import { type Resolve, shared } from '../../../../src/callbacks/targets/lookup.js';
import { until } from '../../../support/until.js';

/** Names that begin with `hangs` are answered when told to. */
function names() {
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  const system: Resolve = async (hostname) => {
    asked.push(hostname);
    if (hostname.startsWith('hangs')) await new Promise<void>((answer) => answers.set(hostname, answer));
    if (hostname === 'unknown') throw new Error('ENOTFOUND');
    return [{ address: '127.0.0.1', family: 4 }];
  };
  return { asked, resolve: shared(system), answer: (hostname: string) => answers.get(hostname)!() };
}

describe('names', () => {
  it('are asked for once at a time, and anew after that, a failure as an answer', async () => {
    const { asked, resolve } = names();
    await Promise.all([resolve('a'), resolve('a'), resolve('b')]);
    expect(asked).toEqual(['a', 'b']);
    await expect(Promise.all([resolve('unknown'), resolve('unknown')])).rejects.toThrow('ENOTFOUND');
    await resolve('a');
    expect(asked).toEqual(['a', 'b', 'unknown', 'a']);
  });

  it('that hang hold up no name that is known, and new ones until the first of them is over', async () => {
    const { asked, resolve, answer } = names();
    for (const name of ['quick0', 'quick1']) await resolve(name);
    const hanging = ['hangs1', 'hangs2', 'hangs3'].map((hostname) => resolve(hostname));
    for (let i = 0; i < 20; i++) await Promise.all([resolve('quick0'), resolve('quick1')]);
    const fresh = resolve('new');
    await new Promise((resolved) => setTimeout(resolved, 1100));
    expect(asked.filter((hostname) => !hostname.startsWith('quick'))).toEqual(['hangs1']);
    answer('hangs1');
    await hanging[0];
    await until('the next is tried', () => asked.includes('hangs2'));
    await new Promise((resolved) => setTimeout(resolved, 1100));
    // Known to hang: it waits for the new ones.
    const again = resolve('hangs1');
    answer('hangs2');
    await until('the next is tried', () => asked.includes('hangs3'));
    answer('hangs3');
    await Promise.all([...hanging, fresh]);
    await until('it is tried again', () => asked.filter((hostname) => hostname === 'hangs1').length === 2);
    expect(asked.slice(-2)).toEqual(['new', 'hangs1']);
    answer('hangs1');
    await again;
  });

  it('that begin to hang hold up those that are known for a second', async () => {
    const { asked, resolve, answer } = names();
    const first = resolve('hangs');
    await until('it is asked for', () => asked.length === 1);
    answer('hangs');
    await Promise.all([first, resolve('quick')]);
    const hanging = resolve('hangs');
    const start = performance.now();
    await resolve('quick');
    expect(performance.now() - start).toBeGreaterThan(900);
    expect(performance.now() - start).toBeLessThan(20_000);
    await resolve('quick');
    expect(asked).toEqual(['hangs', 'quick', 'hangs', 'quick', 'quick']);
    answer('hangs');
    await hanging;
  });
});
