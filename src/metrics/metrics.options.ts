import { IsBoolean, IsInt, IsOptional, Max, Min } from 'class-validator';

/** Options of the metrics: plain values, like all of `TaskValues`. */
export class MetricsValues {
  /**
   * Whether this process records what happens: counts and times of each minute and service, written every 10 s, and each
   * failed attempt, written with the change of its task. If false, there is no query and no timer for it. Set the same
   * in all processes, because each one records only its own work.
   * @defaultValue false
   */
  @IsOptional()
  @IsBoolean()
  metrics?: boolean;

  /** Seconds that the counts of a minute are kept: 0 (no limit), or up to 10 years. @defaultValue 604800 */
  @IsInt()
  @Min(0)
  @Max(315_360_000)
  metricsRetention: number = 604_800;
}
