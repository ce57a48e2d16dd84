import { type Provider, type Type } from '@nestjs/common';
import { Process, type ProcessContext, TaskProcessor, type TaskProcessorOptions } from '../../src/index.js';

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A module of the host's with these providers. */
export const withProviders = (...providers: Provider[]) => ({ module: class ProcessorsModule {}, providers });

/** A processor of this service that does this. */
export function processor(
  service: string,
  work: (context: ProcessContext) => unknown,
  options: TaskProcessorOptions = {},
): Type<object> {
  @TaskProcessor(service, options)
  class Worker {
    @Process()
    process(context: ProcessContext): unknown {
      return work(context);
    }
  }
  return Worker;
}
