import { IsInt, IsNumber, Max, Min } from 'class-validator';

/** Options of batches: plain values, like all of `TaskValues`. */
export class BatchesValues {
  /** The most tasks in one call that creates a batch or adds to one. @defaultValue 10000 */
  @IsInt()
  @Min(1)
  @Max(50_000)
  maxBatchTasks: number = 10_000;

  /** Days that ended batches are kept, 0 to 36,500. Their tasks follow option `retention`. @defaultValue 30 */
  @IsNumber()
  @Min(0)
  @Max(36_500)
  batchRetention: number = 30;
}
