import { describe, expect, it } from '@jest/globals';
import { choose, type Range, type TurnKey, TurnOrder, WINDOW } from '../../../src/queue/turn-order.js';

/** A generator of numbers that gives the same for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

describe('whose turn it is', () => {
  it('is, of the next eight that may, the one with the least load; of equals the first', () => {
    const pick = random(1);
    for (let run = 0; run < 2000; run++) {
      const keys = Array.from({ length: pick(20) }, (_, n) => `u${n}`);
      const loads = new Map(keys.map((key) => [key, pick(4)]));
      const barred = new Set(keys.filter(() => pick(3) === 0));
      const may = (key: TurnKey): boolean => !barred.has(key as string);
      const place = choose(keys, (key) => loads.get(key as string)!, may);
      const window = keys.filter(may).slice(0, WINDOW);
      const least = Math.min(...window.map((key) => loads.get(key)!));
      expect(place).toBe(window.length === 0 ? -1 : keys.indexOf(window.find((key) => loads.get(key) === least)!));
    }
  });
});

describe('the order of turns', () => {
  const all = (): boolean => true;
  /** Reads on like the index would, until `wanted` names are known. Returns how many it read. */
  function read(order: TurnOrder, names: string[], wanted: number, most = 3, between = (_: Range): void => undefined) {
    let count = 0;
    for (let range = order.next(); range && order.count(all, wanted) < wanted; range = order.next()) {
      const { after, upTo } = range;
      const found = names
        .filter((name) => (after === undefined || name > after) && (upTo === undefined || name <= upTo))
        .slice(0, most);
      between(range);
      order.add(range, found, found.length < most);
      count += found.length;
    }
    return count;
  }
  const serve = (order: TurnOrder, load = (_: TurnKey): number => 0): TurnKey | undefined => order.serve(load, all);

  it.each([1, 2, 7, 8, 9, 30, 100])(
    'of %i owners serves each once in each lap, and reads about one name a turn',
    (count) => {
      const names = Array.from({ length: count }, (_, n) => `u${String(n).padStart(3, '0')}`);
      const order = new TurnOrder(false);
      let reads = 0;
      const served: TurnKey[] = [];
      for (let turn = 0; turn < count * 5; turn++) {
        order.freshen(0);
        reads += read(order, names, WINDOW, 8);
        served.push(serve(order)!);
      }
      for (let lap = 0; lap < 5; lap++) expect(served.slice(lap * count, (lap + 1) * count).sort()).toEqual(names);
      expect(reads).toBeLessThanOrEqual(count * 5 + 4 * WINDOW);
    },
  );

  it('has the tasks without a group once in each lap, too', () => {
    const order = new TurnOrder(true);
    const served = Array.from({ length: 12 }, () => {
      order.freshen(0);
      read(order, ['a', 'b'], WINDOW);
      return serve(order);
    });
    expect(served.filter((key) => key === null)).toHaveLength(4);
    expect(new Set([served.slice(0, 3), served.slice(3, 6)].map((lap) => String(lap.toSorted())))).toHaveProperty(
      'size',
      1,
    );
  });

  it('passes by those of whom more runs', () => {
    const running = new Map<TurnKey, number>([['long', 5]]);
    const order = new TurnOrder(false);
    const served = Array.from({ length: 4 }, () => {
      order.freshen(0);
      read(order, ['long', 'short'], WINDOW);
      return serve(order, (key) => running.get(key) ?? 0);
    });
    expect(served).toEqual(['short', 'short', 'short', 'short']);
  });

  it('finds names that come later within a lap, or after a second, or at once where this process made them', () => {
    const names = ['a', 'b', 'c', 'd'];
    const order = new TurnOrder(false);
    order.freshen(0);
    read(order, names, WINDOW);
    names.push('e');
    order.note('f');
    order.note('a');
    const known = Array.from({ length: 8 }, () => serve(order));
    expect(known).toEqual(['a', 'b', 'c', 'd', 'f', 'a', 'b', 'c']);
    order.freshen(999);
    read(order, names, WINDOW);
    expect(Array.from({ length: 5 }, () => serve(order))).toContain('e');
    names.push('g');
    order.freshen(2000);
    read(order, names, WINDOW);
    expect(order.count((key) => key === 'g', 1)).toBe(1);
  });

  it('forgets whoever has nothing, and takes no answer of a read that is over', () => {
    const order = new TurnOrder(false);
    order.freshen(0);
    const range = order.next()!;
    order.add(range, ['a', 'b'], true);
    order.add(range, ['a', 'b'], true);
    order.forget('a');
    expect([serve(order), serve(order), order.count(all, 9)]).toEqual(['b', 'b', 1]);
    expect(order.renew()).toBe(true);
    read(order, ['b'], WINDOW);
    expect([order.renew(), serve(order)]).toEqual([false, 'b']);
    order.forget('b');
    expect(serve(order)).toBeUndefined();
  });

  it('never loses a name, whatever comes and goes', () => {
    const pick = random(7);
    for (let run = 0; run < 200; run++) {
      const order = new TurnOrder(pick(2) === 1);
      const names = Array.from({ length: 1 + pick(30) }, (_, n) => `u${String(n).padStart(2, '0')}`);
      const last = new Map<TurnKey, number>(names.map((name) => [name, 0]));
      for (let turn = 1; turn < 200; turn++) {
        order.freshen(0);
        read(order, names, WINDOW + pick(4), 1 + pick(12));
        last.set(serve(order)!, turn);
      }
      // Nobody waits for longer than two laps.
      for (const name of names) expect(last.get(name)).toBeGreaterThan(199 - 2 * (names.length + 2));
    }
  });
});
