import { describe, expect, it } from '@jest/globals';
import { type Resolve, shared } from '../../src/callback/lookup.js';
import { until } from '../support/until.js';

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

  it('that hang keep others waiting for a second once, and then none but each other', async () => {
    const { asked, resolve, answer } = names();
    const hanging = ['hangs1', 'hangs2', 'hangs3'].map((hostname) => resolve(hostname));
    const start = performance.now();
    // The first two have both of the system's threads, until one of them answers.
    await until('two are known to be slow', () => asked.length === 2);
    await new Promise((resolved) => setTimeout(resolved, 1100));
    answer('hangs1');
    await hanging[0];
    await until('the third is tried', () => asked.includes('hangs3'));
    await new Promise((resolved) => setTimeout(resolved, 1100));
    answer('hangs2');
    await hanging[1];
    expect(performance.now() - start).toBeGreaterThan(2000);

    // All three are known now: one of them hangs, two wait, and the others pass by.
    const again = [resolve('hangs1'), resolve('hangs2')];
    const quick = performance.now();
    for (let i = 0; i < 20; i++) await resolve(`quick${i}`);
    expect(performance.now() - quick).toBeLessThan(500);
    expect(asked.filter((hostname) => hostname === 'hangs1' || hostname === 'hangs2')).toHaveLength(2);
    answer('hangs3');
    await hanging[2];
    answer('hangs1');
    await again[0];
    await until('the last is tried', () => asked.filter((hostname) => hostname === 'hangs2').length === 2);
    answer('hangs2');
    await again[1];
  });
});
