import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type GraphShape,
  pathOf,
  type Placed,
  rising,
  shapeOf,
} from '../../../src/dashboard/app/pages/batches/graph-shape.js';

const task = (taskId: string, layer: number, dependsOn: string[] = []): Placed => ({ taskId, layer, dependsOn });
const many = (count: number, layer: number, dependsOn: string[] = []): Placed[] =>
  Array.from({ length: count }, (_, n) => task(`${layer}-${n}`, layer, dependsOn));
const before = (n: number): string[] => Array.from({ length: n }, (_, one) => `${one}`);

/** Each task waits for some of those before it. About half of these graphs have a layer that needs several columns. */
const graphs = fc
  .array(fc.array(fc.nat({ max: 99 }), { maxLength: 3 }), { minLength: 1, maxLength: 50, size: 'max' })
  .map((all) => {
    const tasks: Placed[] = [];
    for (const [n, some] of all.entries()) {
      const needs = tasks.filter((_, index) => some.some((one) => Math.floor((one * n) / 100) === index));
      const layer = Math.max(-1, ...needs.map((one) => one.layer)) + 1;
      tasks.push(
        task(
          `${n}`,
          layer,
          needs.map(({ taskId }) => taskId),
        ),
      );
    }
    return tasks;
  });

interface Point {
  x: number;
  y: number;
}

/** Points of each part of a path, as a browser would draw it. */
function partsOf(path: string): Point[][] {
  return [...path.matchAll(/M(\S+) ([^HC]+)(?:H([^M]+)|C([^M]+))/g)].map(([, x, y, to, curve]) => {
    const from = { x: Number(x), y: Number(y) };
    if (to !== undefined) return curveOf([from, from, { ...from, x: Number(to) }, { ...from, x: Number(to) }]);
    const [a, b, c, d, e, f] = curve!.split(' ').map(Number);
    return curveOf([from, { x: a!, y: b! }, { x: c!, y: d! }, { x: e!, y: f! }]);
  });
}

const curveOf = ([a, b, c, d]: [Point, Point, Point, Point]): Point[] =>
  Array.from({ length: 11 }, (_, step) => {
    const [t, u] = [step / 10, 1 - step / 10];
    const at = (axis: 'x' | 'y'): number =>
      u ** 3 * a[axis] + 3 * u * u * t * b[axis] + 3 * u * t * t * c[axis] + t ** 3 * d[axis];
    return step === 10 ? d : { x: at('x'), y: at('y') };
  });

const isInside = ({ x, y }: Point, at: Point, { width, height }: GraphShape['node']): boolean =>
  x > at.x + 0.01 && x < at.x + width - 0.01 && y > at.y && y < at.y + height;

/** Pairs of lines between the same layers that change their order. */
function crossings({ edges }: GraphShape): number {
  const ends = [...new Set(edges.flatMap(({ lines }) => lines))].map((line) => [line[0]!, line[1]!] as const);
  return ends.flatMap(([a, b], index) =>
    ends.slice(0, index).filter(([c, d]) => a.x === c.x && b.x === d.x && (a.y - c.y) * (b.y - d.y) < 0),
  ).length;
}

describe('the picture of a graph', () => {
  it('has the layers from left to right, in the middle, with a line for each dependency', () => {
    const { nodes, edges, node, width, height } = shapeOf([
      task('join', 2, ['left', 'right']),
      task('cut', 0),
      task('left', 1, ['cut']),
      task('right', 1, ['cut']),
    ]);
    const [cut, left, right, join] = ['cut', 'left', 'right', 'join'].map((id) =>
      nodes.find((one) => one.taskId === id)!,
    );
    expect(node.isNamed).toBe(true);
    expect([left!.x, right!.x]).toEqual([cut!.x + node.width + 56, cut!.x + node.width + 56]);
    expect(join!.x + node.width + 8).toBe(width);
    expect(right!.y + node.height + 8).toBe(height);
    expect([cut!.y, join!.y]).toEqual([(left!.y + right!.y) / 2, (left!.y + right!.y) / 2]);
    expect(edges.map(({ from, to }) => `${from}>${to}`).sort()).toEqual([
      'cut>left',
      'cut>right',
      'left>join',
      'right>join',
    ]);
    expect(pathOf(edges[0]!.lines)).toMatch(/^M\d+ \d+C\d+ \d+ \d+ \d+ \d+ \d+$/);
  });

  it('puts a task near those that it waits for', () => {
    const { nodes } = shapeOf([...many(3, 0), task('a', 1, ['0-2']), task('b', 1, ['0-0'])]);
    const y = (id: string): number => nodes.find(({ taskId }) => taskId === id)!.y;
    expect(y('b')).toBeLessThan(y('a'));
  });

  it('draws many tasks of a layer small, in columns, none upon another', () => {
    const { nodes, node, width, height } = shapeOf([
      task('cut', 0),
      ...many(198, 1, ['cut']),
      task('join', 2, ['1-0']),
    ]);
    expect(node.isNamed).toBe(false);
    expect(new Set(nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(200);
    for (const { x, y } of nodes)
      expect([x >= 8, y >= 8, x + node.width <= width - 8, y + node.height <= height - 8]).toEqual([
        true,
        true,
        true,
        true,
      ]);
  });

  it('draws also what waits for tasks that are not shown', () => {
    expect(shapeOf([task('a', 7, ['gone'])])).toMatchObject({ nodes: [{ taskId: 'a' }], edges: [] });
    expect(shapeOf([])).toMatchObject({ nodes: [], edges: [] });
  });

  it('draws no edge through a task, and each from task to task without going back', () => {
    fc.assert(
      fc.property(graphs, (tasks) => {
        const { nodes, edges, node } = shapeOf(tasks);
        const known = new Map(nodes.map((one) => [one.taskId, one]));
        expect(edges).toHaveLength(tasks.reduce((sum, { dependsOn }) => sum + dependsOn.length, 0));
        const wrong = edges.filter(({ from, to, lines }) => {
          const [start, end] = [known.get(from)!, known.get(to)!];
          const parts = partsOf(pathOf(lines));
          const points = parts.flat();
          const middle = node.height / 2;
          const corners = [{ x: start.x + node.width, y: start.y + middle }, ...parts.map((part) => part.at(-1)!)];
          const isWhole = [...parts.map((part) => part[0]!), { x: end.x, y: end.y + middle }].every(
            ({ x, y }, index) => x === corners[index]!.x && y === corners[index]!.y,
          );
          const goesBack = points.some(({ x }, index) => x < points[Math.max(0, index - 1)]!.x);
          return !isWhole || goesBack || nodes.some((one) => points.some((point) => isInside(point, one, node)));
        });
        expect(wrong.map(({ from, to }) => `${from}>${to}`)).toEqual([]);
      }),
      { numRuns: 300, seed: 1, endOnFailure: true },
    );
  });

  it('gives an edge that jumps a place of its own in each layer, shared only with others of the same task', () => {
    fc.assert(
      fc.property(graphs, (tasks) => {
        const users = new Map<string, { from: string; to: string }[]>();
        for (const edge of shapeOf(tasks).edges)
          for (const part of pathOf(edge.lines).match(/M[^MH]*H[^M]*/g) ?? [])
            users.set(part, [...(users.get(part) ?? []), edge]);
        const shared = [...users.values()].filter(
          ([first, ...others]) =>
            !others.every(({ from }) => from === first!.from) && !others.every(({ to }) => to === first!.to),
        );
        expect(shared).toEqual([]);
      }),
      { numRuns: 300, seed: 2, endOnFailure: true },
    );
  });

  it('is the same for the same tasks', () => {
    fc.assert(
      fc.property(graphs, (tasks) => expect(shapeOf(structuredClone(tasks))).toEqual(shapeOf(tasks))),
      { numRuns: 50, seed: 3, endOnFailure: true },
    );
  });

  it('lets no edges cross that need not, also where later tasks decide on the order of earlier ones', () => {
    const pairs = [3, 0, 4, 1, 5, 2].map((n) => task(`in-${n}`, 0));
    const joins = [1, 2, 0].map((n) => task(`join-${n}`, 1, [`in-${2 * n}`, `in-${2 * n + 1}`]));
    const end = task('end', 3, ['joins', 'join-1', 'in-2']);
    expect(crossings(shapeOf([...pairs, ...joins, task('joins', 2, ['join-0', 'join-2']), end]))).toBe(0);
  });

  it('shares the lines of a task that many wait for, or that waits for many, so that all stay few', () => {
    const all = Array.from({ length: 80 }, (_, n) => task(`${n}`, n, before(n)));
    const { edges, height } = shapeOf(all);
    expect(edges).toHaveLength((80 * 79) / 2);
    expect(new Set(edges.flatMap(({ lines }) => lines)).size).toBeLessThan(80 * 80);
    expect(height).toBeLessThan(90 * 8);
  });

  it('moves what would fall to the mean, and nothing else', () => {
    expect(rising([1, 3, 2, 2, 7, 9, 5])).toEqual([1, 7 / 3, 7 / 3, 7 / 3, 7, 7, 7]);
    expect(rising([])).toEqual([]);
  });
});
