import { IsBoolean, IsInt, IsNumber, IsOptional, Max, Min } from 'class-validator';
import { Follows } from '../validation/field.js';
import { callbackAllowRule } from './targets/allow-list.js';
import { type CallbackRetry, callbackRetryRule } from './delivery/callback-retry.js';
import { secretRule } from './delivery/signature.js';
import { type CallbackUrl, callbackUrlRule } from './targets/callback-targets.js';

/** The type as which an option is parsed from text. For a union TypeScript records no type. */
const OptionType = (type: typeof String | typeof Array): PropertyDecorator => Reflect.metadata('design:type', type);

/** The options of callbacks: plain values, like all of `TaskValues`. */
export class CallbackValues {
  /**
   * Address that is told when a task ends. Workers also get it with the task, as `updateUrl` and `task.callbackUrl`.
   * http or https. In code also a synchronous function of the task (undefined: no callback).
   * @defaultValue undefined
   */
  @OptionType(String)
  @IsOptional()
  @Follows(callbackUrlRule)
  callbackUrl?: CallbackUrl;

  /** Whether the server itself calls `callbackUrl`. Set false while legacy workers still call it. @defaultValue true */
  @IsBoolean()
  deliverCallbacks: boolean = true;

  /** Whether this process delivers callbacks. If false, other processes on the same database do. @defaultValue true */
  @IsBoolean()
  dispatchCallbacks: boolean = true;

  /**
   * Secret that signs callbacks, `whsec_…` (Standard Webhooks). During a rotation, a list of secrets.
   * @defaultValue undefined
   */
  @OptionType(Array)
  @IsOptional()
  @Follows(secretRule)
  callbackSecret?: string | string[];

  /**
   * Origins that a task's own `callbackUrl` may have. If empty, no task may have one. If a name resolves to an address
   * that is not public, add its network after the origin: `http://jobs.internal:8080 10.0.0.0/8`.
   * @defaultValue []
   */
  @Follows(callbackAllowRule)
  callbackAllow: string[] = [];

  /**
   * Seconds to wait after each failed try of a callback, and the largest random share that is added. After the last
   * delay the callback is dead.
   * @defaultValue { delays: [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400], jitter: 0.2 }
   */
  @Follows(callbackRetryRule)
  callbackRetry: Partial<CallbackRetry> = {};

  /** Seconds that one try of a callback may take, 1 to 60. @defaultValue 15 */
  @IsInt()
  @Min(1)
  @Max(60)
  callbackTimeout: number = 15;

  /** Days that delivered and dead callbacks are kept, 0 to 36,500. @defaultValue 30 */
  @IsNumber()
  @Min(0)
  @Max(36_500)
  callbackRetention: number = 30;
}
