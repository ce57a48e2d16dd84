import { describe, expect, it } from '@jest/globals';
import { lineOf, type Placed, shapeOf } from '../../../src/dashboard/app/pages/batches/graph-shape.js';

const task = (taskId: string, layer: number, dependsOn: string[] = []): Placed => ({ taskId, layer, dependsOn });
const many = (count: number, layer: number, dependsOn: string[] = []): Placed[] =>
  Array.from({ length: count }, (_, n) => task(`${layer}-${n}`, layer, dependsOn));

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
    expect(edges.map(({ from, to }) => `${from.taskId}>${to.taskId}`).sort()).toEqual([
      'cut>left',
      'cut>right',
      'left>join',
      'right>join',
    ]);
    expect(lineOf(edges[0]!, node)).toMatch(/^M\d+ \d+C\d+ \d+ \d+ \d+ \d+ \d+$/);
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
});
