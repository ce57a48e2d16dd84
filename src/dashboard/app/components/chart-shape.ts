/** A point of a chart: a time, and a value for each series. null: nothing is known. */
export interface ChartPoint {
  time: string;
  values: Readonly<Record<string, number | null>>;
}

/** The size in which shapes are computed; the chart is stretched to the room that it has. */
export const WIDTH = 1000;
export const HEIGHT = 100;

/** The largest value, so that the chart has a height: of a series, or of all series on top of each other. */
export function topOf(points: readonly ChartPoint[], keys: readonly string[], isStacked: boolean): number {
  const heights = points.map(({ values }) => {
    const known = keys.map((key) => values[key] ?? 0);
    return isStacked ? known.reduce((sum, value) => sum + value, 0) : Math.max(0, ...known);
  });
  return Math.max(0, ...heights);
}

const y = (value: number, top: number): number => HEIGHT - (top === 0 ? 0 : (value / top) * HEIGHT);
const x = (index: number, length: number): number => (length < 2 ? WIDTH / 2 : (index / (length - 1)) * WIDTH);
const round = (value: number): string => String(Math.round(value * 10) / 10);

/** The path of a line. Where nothing is known it has a gap; what stands alone between two gaps is a dot. */
export function linePath(points: readonly ChartPoint[], key: string, top: number): string {
  let isOpen = false;
  return points
    .map(({ values }, index) => {
      const value = values[key];
      if (value === null || value === undefined) {
        isOpen = false;
        return '';
      }
      const move = isOpen ? 'L' : 'M';
      isOpen = true;
      const isAlone = [points[index - 1], points[index + 1]].every((point) => (point?.values[key] ?? null) === null);
      return `${move}${round(x(index, points.length))} ${round(y(value, top))}${isAlone ? 'h0' : ''}`;
    })
    .join('');
}

/** The path of the area below a line. What is not known counts as nothing. */
export function areaPath(points: readonly ChartPoint[], key: string, top: number): string {
  if (points.length === 0) return '';
  const line = points.map(
    ({ values }, index) => `L${round(x(index, points.length))} ${round(y(values[key] ?? 0, top))}`,
  );
  return `M${round(x(0, points.length))} ${HEIGHT}${line.join('')}L${round(x(points.length - 1, points.length))} ${HEIGHT}Z`;
}

export interface Bar {
  key: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Bars on top of each other, in the order of the keys from below. */
export function stackedBars(points: readonly ChartPoint[], keys: readonly string[], top: number): Bar[] {
  const room = WIDTH / Math.max(1, points.length);
  return points.flatMap(({ values }, index) => {
    let below = 0;
    return keys.flatMap((key) => {
      const value = values[key] ?? 0;
      if (value === 0 || top === 0) return [];
      const height = (value / top) * HEIGHT;
      below += height;
      return [{ key, x: index * room + room * 0.1, y: HEIGHT - below, width: room * 0.8, height }];
    });
  });
}

/** The point nearest to a place, 0 to 1 from left to right. */
export const nearestPoint = (place: number, length: number, isBars: boolean): number =>
  Math.max(0, Math.min(length - 1, isBars ? Math.floor(place * length) : Math.round(place * (length - 1))));
