import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Due, DeliverySlots } from '../../../../src/callbacks/delivery/delivery-slots.js';

/** So many callbacks that are due, to each of these origins. */
const due = (origins: string[], each = 1): Due[] =>
  origins.flatMap((origin) => Array.from({ length: each }, (_, index) => ({ id: `${origin} ${index}`, origin })));
const many = (name: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${name}${index}`);
const QUICKLY = { milliseconds: 5, isAnswered: true };
const SLOWLY = { milliseconds: 3000, isAnswered: true };
const NEVER = { milliseconds: 15_000, isAnswered: false };

let places: DeliverySlots;
const withPlaces = () => {
  beforeEach(() => void (places = new DeliverySlots(15_000)));
};

/** Begins what there is room for; answers how many of each origin. */
function begin(rows: Due[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of places.choose(rows.filter(({ origin }) => !places.closed.has(origin)))) {
    const origin = id.split(' ')[0]!;
    places.take(origin);
    counts[origin] = (counts[origin] ?? 0) + 1;
  }
  return counts;
}
/** Has one try of each of these origins end so. */
function end(origins: string[], held: Parameters<DeliverySlots['leave']>[1]): void {
  for (const origin of origins) places.leave(origin, held);
}

describe('places', () => {
  withPlaces();

  it('are two for an origin at first, and eight once it has answered quickly, with whatever status', () => {
    expect(begin(due(['a'], 20))).toEqual({ a: 2 });
    expect(places.closed).toEqual(new Set(['a']));
    end(['a'], QUICKLY);
    expect(begin(due(['a'], 20))).toEqual({ a: 7 });
  });

  it('are two again for one that answers nothing, and stay as many for one that is slow', () => {
    for (const [held, left] of [
      [NEVER, 2],
      [SLOWLY, 8],
    ] as const) {
      places = new DeliverySlots(15_000);
      begin(due(['a']));
      end(['a'], QUICKLY);
      begin(due(['a']));
      end(['a'], held);
      expect(begin(due(['a'], 20))).toEqual({ a: left });
    }
  });

  it('are kept, the last sixteen, for origins that have none', () => {
    const crowds = many('crowd', 8);
    begin(due(crowds));
    end(crowds, QUICKLY);
    expect(Object.values(begin(due(crowds, 20)))).toEqual([8, 8, 8, 8, 8, 8, 1, 1]);
    expect(begin(due(crowds, 20))).toEqual({});
    expect(begin(due(many('other', 20), 3))).toEqual(
      Object.fromEntries(many('other', 14).map((origin) => [origin, 1])),
    );
    expect(places.left).toBe(0);
  });

  it('are thirty-two for all that are slow, whatever these answer', () => {
    const slow = many('slow', 40);
    for (const held of [SLOWLY, NEVER]) {
      places = new DeliverySlots(15_000);
      for (const origin of slow) {
        places.take(origin);
        places.leave(origin, held);
      }
      const taken = begin(due(slow, 20));
      expect(Object.values(taken).reduce((sum, count) => sum + count)).toBe(32);
      expect(begin(due(['quick'], 20))).toEqual({ quick: 2 });
      expect([...places.closed]).toEqual(expect.arrayContaining(slow));
    }
  });

  it('go to the slow in turn: to those that were tried longest ago, however many wait longer', () => {
    const slow = many('slow', 60);
    for (const origin of slow) {
      places.take(origin);
      places.leave(origin, NEVER);
    }
    const first = Object.keys(begin(due(slow)));
    expect(first).toEqual(slow.slice(0, 32));
    end(first, NEVER);
    expect(new Set(Object.keys(begin(due(slow))))).toEqual(new Set([...slow.slice(32), ...slow.slice(0, 4)]));
  });

  it('are given up in turn by the slow that have nothing due', () => {
    const slow = many('slow', 60);
    for (const origin of slow) {
      places.take(origin);
      places.leave(origin, NEVER);
    }
    const waiting = due([slow[50]!]);
    expect(begin(waiting)).toEqual({});
    places.pass([]);
    expect(begin(waiting)).toEqual({ slow50: 1 });
  });

  it('say nothing of an origin whose try was broken off, and forget no origin that has some', () => {
    begin(due(['a']));
    end(['a'], NEVER);
    begin(due(['a']));
    end(['a'], undefined);
    begin(due(['held']));
    for (const origin of many('passing', 2000)) {
      places.take(origin);
      places.leave(origin, QUICKLY);
    }
    expect(begin(due(['held'], 5))).toEqual({ held: 1 });
  });
});
