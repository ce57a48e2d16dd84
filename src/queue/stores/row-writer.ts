import { FromNow } from '../../database/clock.js';
import type { Cell, Shape } from '../../database/rows.js';
import { madeCode } from '../../database/made-code.js';

type Properties = Record<string, unknown>;

/** A column of a property. */
interface Written {
  name: string;
  property: string;
}

/** Adds the cells of the properties that are given. Returns the shape with their columns. */
export type RowWriter = (values: Properties, now: Date | undefined, cells: Cell[], shape: Shape) => Shape;

/** The writer of one registration, as code that names its properties. Each column has its place as its number. */
export function rowWriter(columns: readonly Written[]): RowWriter {
  const names = columns.map(({ name }) => name);
  const lines = columns.map(
    ({ property }, place) => `if ((value = values[${JSON.stringify(property)}]) !== undefined) {
      cells.push((value = at(value, now)));
      shape = shape.and(${place}, names[${place}], value === null);
    }`,
  );
  const text = `(values, now, cells, shape) => {\nlet value;\n${lines.join('\n')}\nreturn shape;\n}`;
  return madeCode({ at, names }, text) ?? loopOver(columns);
}

const loopOver =
  (columns: readonly Written[]): RowWriter =>
  (values, now, cells, given) => {
    let shape = given;
    for (const [place, { name, property }] of columns.entries()) {
      if (values[property] === undefined) continue;
      const cell = at(values[property], now);
      cells.push(cell);
      shape = shape.and(place, name, cell === null);
    }
    return shape;
  };

/** Sets all properties of a new task: what is given, or what the column has otherwise. */
export type TaskFiller = (task: object, values: Properties, now: Date) => void;

export function taskFiller(columns: readonly { property: string; initial: unknown }[]): TaskFiller {
  const initial = columns.map((column) => column.initial);
  const lines = columns.map(({ property }, place) => {
    const name = JSON.stringify(property);
    return `task[${name}] = at(values[${name}] ?? initial[${place}], now);`;
  });
  const loop: TaskFiller = (task, values, now) => {
    for (const [place, { property }] of columns.entries())
      (task as Properties)[property] = at(values[property] ?? initial[place], now);
  };
  return madeCode({ at, initial }, `(task, values, now) => {\n${lines.join('\n')}\n}`) ?? loop;
}

/** A number of seconds from now becomes a time, if `now` is known. */
export function at(value: unknown, now: Date | undefined): unknown {
  if (!now || !(value instanceof FromNow)) return value;
  return value.seconds === 0 ? now : new Date(now.getTime() + value.seconds * 1000);
}
