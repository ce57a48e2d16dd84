import type { TaskErrorBody } from './errors.js';

/**
 * Shapes the bodies of both answers, the original's way. A host extends it and overrides one method or both; the
 * OpenAPI document follows by itself, because its envelope schemas are read off what these methods return.
 */
export class TaskResponse {
  /** Body of an answer that worked. */
  success(data: unknown): unknown {
    return { status: 1, data };
  }

  /** Body of an answer that did not. */
  failure(error: TaskErrorBody): unknown {
    return { status: 0, data: error };
  }
}
