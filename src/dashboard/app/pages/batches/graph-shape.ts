import type { BatchMember } from '../../../../protocol/batch.types.js';

/** What the place of a task depends on. */
export type Placed = Pick<BatchMember, 'taskId' | 'layer' | 'dependsOn'>;

interface Point {
  x: number;
  y: number;
}

/** The place of a task in the picture, in pixels. */
export interface Node extends Point {
  taskId: string;
}

/** Goes from each point to the next. Edges share lines. */
export type Line = readonly Point[];

export interface Edge {
  from: string;
  to: string;
  /** From the right of `from` to the left of `to`. Each line begins where the one before it ends. */
  lines: Line[];
}

export interface GraphShape {
  nodes: Node[];
  edges: Edge[];
  /** The size of a task: with its name, or too small for one. */
  node: { width: number; height: number; isNamed: boolean };
  width: number;
  height: number;
}

/** What has a place in a layer: a task, or, without an id, a lane of edges that go on to later layers. */
interface Item {
  taskId: string | undefined;
  layer: Layer;
  /** Its neighbours in the layer before and, with the lines to them, in the one after. */
  before: Set<Item>;
  after: Map<Item, Point[]>;
  /** Its place in the order of its layer, from 0 to 1. */
  rank: number;
  left: number;
  right: number;
  /** Of its middle. */
  y: number;
}

interface Layer {
  items: Item[];
  left: number;
  right: number;
}

/** Tasks of a layer that stand below each other. If there are more, several stand beside each other. */
const ROWS = 12;
const NAMED = { width: 144, height: 28, isNamed: true } as const;
const SMALL = { width: 16, height: 16, isNamed: false } as const;
/** Between rows, between columns of a layer, and between layers, where the lines bend. */
const GAP = { row: 8, column: 8, layer: 56 } as const;
const MARGIN = 8;
/** From a task to the lines of those beside it, which pass it above or below. */
const PASS = 3;
/** How often the layers are gone through, forth and back, to find an order, and then places. */
const SWEEPS = 4;

/**
 * Layers from left to right, by the method of Sugiyama: an edge that jumps over layers has a lane in each of them, so
 * that it never runs behind a task. Items stand near their neighbours, in an order in which few edges cross.
 */
export function shapeOf(tasks: readonly Placed[]): GraphShape {
  const { layers, edges } = connect(tasks);
  const isNamed = layers.every(({ items }) => items.filter(isTask).length <= ROWS);
  const node = isNamed ? NAMED : SMALL;
  order(layers);
  const height = place(layers, node);
  draw(layers, node.height / 2 + PASS);
  return {
    nodes: layers.flatMap(({ items }) =>
      items.filter(isTask).map(({ taskId, left, y }) => ({ taskId, x: left, y: y - node.height / 2 })),
    ),
    edges,
    node,
    width: Math.max(0, ...layers.map(({ right }) => right)) + MARGIN,
    height: height + 2 * MARGIN,
  };
}

/** Lines as the path of an SVG. Each part begins and ends level. */
export const pathOf = (lines: Iterable<Line>): string =>
  [...lines]
    .flatMap((line) =>
      line.slice(1).map(({ x, y }, index) => {
        const from = line[index]!;
        const middle = (from.x + x) / 2;
        return `M${from.x} ${from.y}${y === from.y ? `H${x}` : `C${middle} ${from.y} ${middle} ${y} ${x} ${y}`}`;
      }),
    )
    .join('');

const isTask = (item: Item): item is Item & { taskId: string } => item.taskId !== undefined;

/** Makes the items. Edges that jump share the lanes of their task with most of them, so that lanes stay few. */
function connect(tasks: readonly Placed[]): { layers: Layer[]; edges: Edge[] } {
  // Without gaps: a layer may be of tasks that are not shown.
  const numbers = [...new Set(tasks.map(({ layer }) => layer))].sort((a, b) => a - b);
  const layers = numbers.map((): Layer => ({ items: [], left: 0, right: 0 }));
  const make = (number: number, taskId?: string): Item => {
    const layer = layers[number]!;
    const item = { taskId, layer, before: new Set<Item>(), after: new Map(), rank: 0, left: 0, right: 0, y: 0 };
    layer.items.push(item);
    return item;
  };
  const numberOf = new Map(tasks.map(({ taskId, layer }) => [taskId, numbers.indexOf(layer)]));
  /** Of each task itself and its lanes, by the numbers of their layers. */
  const items = new Map([...numberOf].map(([taskId, number]) => [taskId, { [number]: make(number, taskId) }]));
  const links = tasks.flatMap(({ taskId: to, dependsOn }) =>
    dependsOn
      .filter((from) => numberOf.has(from))
      .map((from) => ({ from, to, start: numberOf.get(from)!, end: numberOf.get(to)! })),
  );
  const jumps = { from: new Map<string, number>(), to: new Map<string, number>() };
  for (const link of links)
    for (const side of ['from', 'to'] as const)
      if (link.end - link.start > 1) jumps[side].set(link[side], (jumps[side].get(link[side]) ?? 0) + 1);
  const edges = links.map(({ from, to, start, end }) => {
    const lanes = items.get((jumps.to.get(to) ?? 0) > (jumps.from.get(from) ?? 0) ? to : from)!;
    const path = [items.get(from)![start]!];
    for (let number = start + 1; number < end; number++) path.push((lanes[number] ??= make(number)));
    path.push(items.get(to)![end]!);
    const lines = path.slice(1).map((item, index) => {
      const { after } = path[index]!;
      const line = after.get(item) ?? [];
      after.set(item, line);
      item.before.add(path[index]!);
      return line;
    });
    return { from, to, lines };
  });
  return { layers, edges };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sorts each layer by the mean ranks of neighbours, and ends with those that its tasks wait for. */
function order(layers: readonly Layer[]): void {
  const sort = (items: Item[], near: (item: Item) => Iterable<Item>): void => {
    const weights = new Map(
      items.map((item) => {
        const ranks = [...near(item)].map(({ rank }) => rank);
        return [item, ranks.length === 0 ? item.rank : mean(ranks)];
      }),
    );
    // Those of the same weight stay in their order.
    items.sort((a, b) => weights.get(a)! - weights.get(b)!);
    for (const [index, item] of items.entries()) item.rank = (index + 0.5) / items.length;
  };
  for (const { items } of layers) sort(items, ({ before }) => before);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const { items } of [...layers].reverse()) sort(items, ({ after }) => after.keys());
    for (const { items } of layers) sort(items, ({ before }) => before);
  }
}

/** Gives each item its place. The tallest layer fills the picture, and the others stand near their neighbours. */
function place(layers: readonly Layer[], node: GraphShape['node']): number {
  let x = MARGIN;
  const stacks = layers.map((layer) => {
    const columns = Math.ceil(layer.items.filter(isTask).length / ROWS);
    layer.left = x;
    layer.right = x + columns * (node.width + GAP.column) - GAP.column;
    x = layer.right + GAP.layer;
    return stackOf(layer, columns, node);
  });
  const tallest = Math.max(0, ...stacks.map(({ height }) => height));
  const settle = ({ rows, height }: Stack, wish: (row: Row) => number): void => {
    const room = tallest - height;
    for (const [index, down] of rising(rows.map(wish)).entries()) {
      const y = MARGIN + rows[index]!.middle + Math.round(Math.min(Math.max(0, down), room));
      for (const item of rows[index]!.items) item.y = y;
    }
  };
  for (const stack of stacks) settle(stack, () => (tallest - stack.height) / 2);
  for (let sweep = 0; sweep < SWEEPS; sweep++)
    for (const stack of [...stacks, ...[...stacks].reverse()])
      settle(stack, ({ items, middle }) => {
        const near = items.flatMap(({ before, after }) => [...before, ...after.keys()]);
        return mean((near.length === 0 ? items : near).map(({ y }) => y)) - MARGIN - middle;
      });
  return tallest;
}

interface Row {
  items: Item[];
  /** Its middle, if all rows of its layer stand as high as they can. */
  middle: number;
}

interface Stack {
  rows: Row[];
  height: number;
}

/** The rows of a layer in their order: tasks beside each other, or one lane. */
function stackOf({ items, left, right }: Layer, columns: number, { width, height }: GraphShape['node']): Stack {
  const rows: Row[] = [];
  let top = 0;
  let open: Row | undefined;
  for (const item of items) {
    let row = isTask(item) && open && open.items.length < columns ? open : undefined;
    if (!row) {
      const tall = isTask(item) ? height : 0;
      rows.push((row = { items: [], middle: top + tall / 2 }));
      top += tall + GAP.row;
    }
    if (isTask(item)) open = row;
    item.left = isTask(item) ? left + row.items.length * (width + GAP.column) : left;
    item.right = isTask(item) ? item.left + width : right;
    row.items.push(item);
  }
  return { rows, height: top - GAP.row };
}

/** The nearest numbers that never fall, by least squares: those that would fall share their mean. */
export function rising(values: readonly number[]): number[] {
  const blocks: number[][] = [];
  for (const value of values) {
    let block = [value];
    while (blocks.length > 0 && mean(blocks.at(-1)!) > mean(block)) block = [...blocks.pop()!, ...block];
    blocks.push(block);
  }
  return blocks.flatMap((block) => block.map(() => mean(block)));
}

/** Draws the lines. `pass`: how far above or below a task the lines of those beside it run. */
function draw(layers: readonly Layer[], pass: number): void {
  const start = ({ layer, right, y }: Item): Point[] =>
    [{ x: right, y }].concat(
      right < layer.right ? [right + GAP.column, layer.right].map((x) => ({ x, y: y + pass })) : [],
    );
  const end = ({ taskId, layer, left, right, y }: Item): Point[] =>
    (left > layer.left ? [layer.left, left - GAP.column] : [])
      .map((x) => ({ x, y: y - pass }))
      .concat({ x: left, y }, taskId === undefined ? { x: right, y } : []);
  for (const item of layers.flatMap(({ items }) => items))
    for (const [to, line] of item.after) line.push(...start(item), ...end(to));
}
