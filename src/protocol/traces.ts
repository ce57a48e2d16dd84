import { type Attributes, FAILED, KIND, type Span, type TraceApi, type Tracer } from './trace-api.js';
import { spanContextOf, traceparentOf } from './traceparent.js';
import { VERSION } from './version.js';

export { traceparentOf };

/** A variable, so that no bundler looks for an optional package. */
const API: string = '@opentelemetry/api';
const NAME = '@softdd/task';

/** What happens to a task, as the conventions for messaging name it. */
const OPERATIONS = {
  create: { kind: KIND.producer, type: 'create' },
  claim: { kind: KIND.client, type: 'receive' },
  process: { kind: KIND.consumer, type: 'process' },
  callback: { kind: KIND.producer, type: 'send' },
} as const;

/** A span about to begin. */
export interface SpanDraft {
  operation: keyof typeof OPERATIONS;
  /** The service of the tasks. */
  service: string | undefined;
  taskIds: readonly string[];
  /** Where the span belongs. By default below the active one. `null`: it begins a trace. */
  parent?: string | null | undefined;
  /** Traces that it continues without being below them. */
  links?: readonly (string | null | undefined)[];
  /** Milliseconds since 1970. By default now. */
  startTime?: number;
  attributes?: Attributes;
}

/**
 * Spans by `@opentelemetry/api`, if it is installed and somebody has registered a provider of tracers. Otherwise
 * nothing is made: each use asks first whether it `isOn`.
 */
export class Traces {
  private tracer: Tracer | undefined;

  constructor(private readonly api: TraceApi | undefined) {}

  static async load(): Promise<Traces> {
    try {
      const loaded = (await import(API)) as TraceApi & { default?: TraceApi };
      return new Traces(loaded.trace ? loaded : loaded.default);
    } catch {
      return new Traces(undefined);
    }
  }

  /** Looks each time, because a provider may be registered late, or be replaced. */
  get isOn(): boolean {
    const provider = this.api?.trace.getTracerProvider();
    this.tracer = provider?.getDelegateTracer
      ? provider.getDelegateTracer(NAME, VERSION)
      : provider?.getTracer(NAME, VERSION);
    return this.tracer !== undefined;
  }

  /** The span that is active here, as a `traceparent`. */
  get active(): string | undefined {
    if (!this.api) return undefined;
    const span = this.api.trace.getSpanContext(this.api.context.active());
    return span && spanContextOf(traceparentOf(span)) && traceparentOf(span);
  }

  start({ operation, service = '', taskIds, parent, links = [], startTime, attributes }: SpanDraft): Span {
    const { trace, context, ROOT_CONTEXT } = this.api!;
    const { kind, type } = OPERATIONS[operation];
    const above = spanContextOf(parent);
    const root = parent === null ? ROOT_CONTEXT : context.active();
    const options = {
      kind,
      attributes: {
        'messaging.system': 'softdd_task',
        'messaging.operation.name': operation,
        'messaging.operation.type': type,
        'messaging.destination.name': service,
        ...(taskIds.length === 1
          ? { 'messaging.message.id': taskIds[0]! }
          : { 'messaging.batch.message_count': taskIds.length }),
        ...attributes,
      },
      links: links.flatMap((link) => {
        const linked = spanContextOf(link);
        return linked ? [{ context: linked }] : [];
      }),
      ...(startTime === undefined ? {} : { startTime }),
    };
    return this.tracer!.startSpan(
      `${operation} ${service}`.trim(),
      options,
      above ? trace.setSpanContext(root, above) : root,
    );
  }

  /** Runs the work with the span as the active one. */
  within<T>(span: Span, work: () => T): T {
    const { trace, context } = this.api!;
    return context.with(trace.setSpan(context.active(), span), work);
  }
}

/** The service of all of these, if they have one in common. */
export const serviceOf = (tasks: readonly { service?: unknown }[]): string | undefined =>
  tasks.every(({ service }) => service === tasks[0]!.service) ? (tasks[0]?.service as string | undefined) : undefined;

/** Ends a span, with the error if there is one. */
export function endSpan(span: Span, error?: unknown): void {
  if (error !== undefined) {
    const message = error instanceof Error ? error.message : String(error);
    span.recordException(error instanceof Error ? error : message);
    span.setStatus({ code: FAILED, message });
    span.setAttributes({ 'error.type': error instanceof Error ? error.name : 'Error' });
  }
  span.end();
}
