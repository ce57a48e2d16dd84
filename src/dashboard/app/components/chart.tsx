import { useState } from 'preact/hooks';
import { absolute, axisTime } from '../format/time.js';
import { language, t } from '../words/index.js';
import { areaPath, type ChartPoint, HEIGHT, linePath, nearestPoint, stackedBars, topOf, WIDTH } from './chart-shape.js';
import { isUtc } from './time.js';

export interface Series {
  key: string;
  name: string;
  /** The class that gives the colour: of a status, such as `is-failed`, or `is-accent`. */
  className: string;
}

interface ChartProps {
  label: string;
  kind: 'area' | 'bars' | 'line';
  series: readonly Series[];
  points: readonly ChartPoint[];
  /** How a value is written. */
  format?: (value: number) => string;
}

/** A small chart. The pointer shows the values; the same stand in a table for who sees no chart. */
export function Chart({ label, kind, series, points, format }: ChartProps) {
  const [shown, setShown] = useState<number | undefined>(undefined);
  const keys = series.map(({ key }) => key);
  const top = topOf(points, keys, kind === 'bars');
  const classOf = (key: string): string => series.find((one) => one.key === key)!.className;
  const write = (value: number | null | undefined): string =>
    value === null || value === undefined ? '–' : format ? format(value) : value.toLocaleString(language.value);
  const timeOf = (point: ChartPoint | undefined): number => Date.parse(point?.time ?? '');
  const isLong = timeOf(points.at(-1)) - timeOf(points[0]) > 86_400_000;
  const axis = (point: ChartPoint | undefined): string =>
    point ? axisTime(timeOf(point), language.value, isUtc(), isLong) : '';
  const look = (event: PointerEvent): void => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    setShown(nearestPoint((event.clientX - left) / width, points.length, kind === 'bars'));
  };
  const point = shown === undefined ? undefined : points[shown];
  return (
    <figure class="chart">
      <div class="chart-box" onPointerMove={look} onPointerLeave={() => setShown(undefined)}>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {kind === 'bars'
            ? stackedBars(points, keys, top).map((bar, index) => (
                <rect key={index} class={classOf(bar.key)} x={bar.x} y={bar.y} width={bar.width} height={bar.height} />
              ))
            : series.map(({ key, className }) => (
                <g key={key} class={className}>
                  {kind === 'area' && <path class="chart-area" d={areaPath(points, key, top)} />}
                  <path class="chart-line" d={linePath(points, key, top)} />
                </g>
              ))}
        </svg>
        <span class="chart-top number">{top > 0 ? write(top) : ''}</span>
        {point && (
          <div class={`chart-values ${shown! > points.length / 2 ? 'is-left' : ''}`}>
            <div>{absolute(timeOf(point), language.value, isUtc())}</div>
            {series.map(({ key, name, className }) => (
              <div key={key}>
                <span class={`dot ${className}`} /> {name} <b class="number">{write(point.values[key])}</b>
              </div>
            ))}
          </div>
        )}
      </div>
      <figcaption class="chart-ends" aria-hidden="true">
        <span>{axis(points[0])}</span>
        <span>{axis(points.at(-1))}</span>
      </figcaption>
      <div class="offscreen">
        <table>
          <caption>{t('chart.values', { name: label })}</caption>
          <thead>
            <tr>
              <th scope="col">{t('chart.time')}</th>
              {series.map(({ key, name }) => (
                <th key={key} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {points.map((one) => (
              <tr key={one.time}>
                <th scope="row">{absolute(timeOf(one), language.value, isUtc())}</th>
                {series.map(({ key }) => (
                  <td key={key}>{write(one.values[key])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
