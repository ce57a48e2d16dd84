import type { WaitReason } from './gates.js';

const reasons = new WeakMap<object, WaitReason>();

/** Notes with the empty result of a claim why it is empty. */
export function noteWait<T extends object>(tasks: T, reason: WaitReason | undefined): T {
  if (reason) reasons.set(tasks, reason);
  return tasks;
}

/** Why the result of a claim is empty, if a pause or a limit is the reason. */
export const waitReasonOf = (tasks: object): WaitReason | undefined => reasons.get(tasks);
