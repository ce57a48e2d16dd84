import { IsBoolean, IsInt, IsOptional, Max, Min } from 'class-validator';

/** Options of the metrics: plain values, like all of `TaskValues`. */
export class MetricsValues {
  /**
   * Whether this process records what happens: counts and times of each minute and service, and failed attempts. Set the
   * same in all processes, because each one records its own work. If false, it costs nothing.
   * @defaultValue true if there is a `metricsRegistry`, or if there are operators
   */
  @IsOptional()
  @IsBoolean()
  metrics?: boolean;

  /**
   * SECONDS that the counts of a minute are kept, not days as in the other retentions: 604,800 is 7 days. 0 (no limit), or
   * up to 10 years. @defaultValue 604800
   */
  @IsInt()
  @Min(0)
  @Max(315_360_000)
  metricsRetention: number = 604_800;
}

/** Whether this process records metrics. */
export const recordsMetrics = ({
  metrics,
  metricsRegistry,
}: Pick<MetricsValues, 'metrics'> & { metricsRegistry?: unknown }): boolean => metrics ?? metricsRegistry !== undefined;
