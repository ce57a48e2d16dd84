import type { BatchMember } from '../../../../protocol/batch.types.js';

/** What the place of a task depends on. */
export type Placed = Pick<BatchMember, 'taskId' | 'layer' | 'dependsOn'>;

/** The place of a task in the picture, in pixels. */
export interface Node {
  taskId: string;
  x: number;
  y: number;
}

export interface GraphShape {
  nodes: Node[];
  /** The lines between them: from the right of a task to the left of one that waits for it. */
  edges: { from: Node; to: Node }[];
  /** The size of a task: with its name, or too small for one. */
  node: { width: number; height: number; isNamed: boolean };
  width: number;
  height: number;
}

/** Tasks of a layer that stand below each other. More go into the next column of the layer. */
const ROWS = 12;
const NAMED = { width: 144, height: 28, isNamed: true } as const;
const SMALL = { width: 16, height: 16, isNamed: false } as const;
/** Between tasks, between columns of a layer, and between layers, where the lines are. */
const GAP = { row: 8, column: 8, layer: 56 } as const;
const MARGIN = 8;

/** Layers from left to right. A task stands near those that it waits for. */
export function shapeOf(tasks: readonly Placed[]): GraphShape {
  const layers = layersOf(tasks);
  const isNamed = layers.every((layer) => layer.length <= ROWS);
  const node = isNamed ? NAMED : SMALL;
  const rows = Math.min(ROWS, Math.max(1, ...layers.map((layer) => layer.length)));
  const height = rows * (node.height + GAP.row) - GAP.row;
  const places = new Map<string, Node>();
  /** The places of tasks in their layers, from 0 to 1. */
  const ranks = new Map<string, number>();
  let x = MARGIN;
  for (const layer of layers) {
    const columns = Math.ceil(layer.length / ROWS);
    const perColumn = Math.ceil(layer.length / columns);
    const top = MARGIN + (height - (perColumn * (node.height + GAP.row) - GAP.row)) / 2;
    const ordered = sortedBy(layer, ({ dependsOn }) => mean(dependsOn.flatMap((id) => ranks.get(id) ?? [])));
    for (const [index, { taskId }] of ordered.entries()) {
      const [column, row] = [Math.floor(index / perColumn), index % perColumn];
      ranks.set(taskId, index / layer.length);
      const y = top + row * (node.height + GAP.row);
      places.set(taskId, { taskId, x: x + column * (node.width + GAP.column), y });
    }
    x += columns * (node.width + GAP.column) - GAP.column + GAP.layer;
  }
  const edges = tasks.flatMap(({ taskId, dependsOn }) =>
    dependsOn.flatMap((id) => {
      const [from, to] = [places.get(id), places.get(taskId)];
      return from && to ? [{ from, to }] : [];
    }),
  );
  return { nodes: [...places.values()], edges, node, width: x - GAP.layer + MARGIN, height: height + 2 * MARGIN };
}

/** The line between two tasks. */
export function lineOf({ from, to }: { from: Node; to: Node }, { width, height }: GraphShape['node']): string {
  const [startX, startY, endX, endY] = [from.x + width, from.y + height / 2, to.x, to.y + height / 2];
  const bend = Math.max(16, (endX - startX) / 2);
  return `M${startX} ${startY}C${startX + bend} ${startY} ${endX - bend} ${endY} ${endX} ${endY}`;
}

/** Without gaps: a layer may be of tasks that are not shown. */
function layersOf(tasks: readonly Placed[]): Placed[][] {
  const layers = new Map<number, Placed[]>();
  for (const task of tasks) layers.set(task.layer, [...(layers.get(task.layer) ?? []), task]);
  return [...layers].sort(([a], [b]) => a - b).map(([, layer]) => layer);
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Those of the same weight stay in their order. */
const sortedBy = <T>(items: readonly T[], weight: (item: T) => number): T[] =>
  items
    .map((item) => ({ item, of: weight(item) }))
    .sort((a, b) => a.of - b.of)
    .map(({ item }) => item);
