import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { until } from './until.js';

/** The SDK of OpenTelemetry, registered in this process until it is stopped. */
export class Spans {
  private readonly exporter = new InMemorySpanExporter();
  private readonly provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.exporter)] });

  constructor() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(this.provider);
  }

  get all(): ReadableSpan[] {
    return this.exporter.getFinishedSpans();
  }

  /** The span of this operation on this task, once it has ended. */
  of(operation: string, taskId: string): Promise<ReadableSpan> {
    return until(`the span ${operation}`, () =>
      this.all.find(
        ({ attributes }) =>
          attributes['messaging.operation.name'] === operation && attributes['messaging.message.id'] === taskId,
      ),
    );
  }

  async stop(): Promise<void> {
    trace.disable();
    context.disable();
    await this.provider.shutdown();
  }
}
