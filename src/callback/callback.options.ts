import { IsBoolean, IsInt, IsNumber, IsOptional, Max, Min } from 'class-validator';
import { Follows } from '../http/field.js';
import { callbackAllowRule } from './allow-list.js';
import { type CallbackRetry, callbackRetryRule } from './retry.js';
import { secretRule } from './signature.js';
import { type CallbackUrl, callbackUrlRule } from './targets.js';

/** How text says an option that may also be a function or a list: TypeScript records no type of those. */
const Said = (type: typeof String | typeof Array): PropertyDecorator => Reflect.metadata('design:type', type);

/** The options of callbacks: plain values, as all of `TaskValues`. */
export class CallbackValues {
  /**
   * Address that is told when a task ends, and that workers are handed with it, as `updateUrl` and `task.callbackUrl`;
   * http or https; in code also a function of the task, which answers at once (undefined: none).
   * @defaultValue undefined
   */
  @Said(String)
  @IsOptional()
  @Follows(callbackUrlRule)
  callbackUrl?: CallbackUrl;

  /** Whether the server itself tells `callbackUrl`. Not where workers of the original's kind still do. @defaultValue true */
  @IsBoolean()
  deliverCallbacks: boolean = true;

  /** Whether this process delivers callbacks; without it, it leaves them to others on the same database. @defaultValue true */
  @IsBoolean()
  dispatchCallbacks: boolean = true;

  /**
   * Secret that callbacks are signed with, `whsec_…` (Standard Webhooks), or, while it is being changed, a list of such.
   * @defaultValue undefined
   */
  @Said(Array)
  @IsOptional()
  @Follows(secretRule)
  callbackSecret?: string | string[];

  /**
   * Origins that a task's own `callbackUrl` may have; none: no task may have one. A name that leads to an address which
   * is not public needs its network beside it: `http://jobs.internal:8080 10.0.0.0/8`.
   * @defaultValue []
   */
  @Follows(callbackAllowRule)
  callbackAllow: string[] = [];

  /**
   * Seconds after each failed try of a callback, and the share of them that is added at random at most; after the last
   * one it is dead.
   * @defaultValue { delays: [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400], jitter: 0.2 }
   */
  @Follows(callbackRetryRule)
  callbackRetry: Partial<CallbackRetry> = {};

  /** Seconds that one try of a callback may take, 1 to 60. @defaultValue 15 */
  @IsInt()
  @Min(1)
  @Max(60)
  callbackTimeout: number = 15;

  /** Days that callbacks are kept once they were delivered or have died, 0 to 36,500. @defaultValue 30 */
  @IsNumber()
  @Min(0)
  @Max(36_500)
  callbackRetention: number = 30;
}
