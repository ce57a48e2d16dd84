import type { ExecutionContext } from '@nestjs/common';
import { WorkerTaskController } from '../worker-task.controller.js';

/**
 * Whether a request goes to a route for workers, which `workerTokens` and `cronGuards` guard. A host's global guard
 * that knows users alone lets those pass: `if (isTaskWorkerRoute(context)) return true;`.
 */
export const isTaskWorkerRoute = (context: ExecutionContext): boolean =>
  context.getClass().prototype instanceof WorkerTaskController;
