import { IsInt, Max, Min } from 'class-validator';

/** Options of the event streams of users. */
export class LiveValues {
  /** The most event streams that are open at once in this process. Beyond it: TOO_MANY_REQUESTS. @defaultValue 1000 */
  @IsInt()
  @Min(1)
  @Max(100_000)
  maxStreams: number = 1000;

  /** The most of them that one owner has. Beyond it: TOO_MANY_REQUESTS. @defaultValue 20 */
  @IsInt()
  @Min(1)
  @Max(100_000)
  maxStreamsPerOwner: number = 20;
}
