import type { TaskErrorBody } from './errors.js';

/**
 * Shapes the bodies of both kinds of answers, in the legacy form. A host extends it and overrides one or both methods.
 * The OpenAPI document follows, because its envelope schemas are read from what these methods return.
 */
export class TaskResponse {
  /** Body of a successful answer. */
  success(data: unknown): unknown {
    return { status: 1, data };
  }

  /** Body of an error. */
  failure(error: TaskErrorBody): unknown {
    return { status: 0, data: error };
  }
}
