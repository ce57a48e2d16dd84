/* What is used of the package `@opentelemetry/api`, which is optional: neither code nor types import it. */

export interface SpanContext {
  traceId: string;
  spanId: string;
  traceFlags: number;
  isRemote?: boolean;
}

export type Attributes = Record<string, string | number>;

export interface Span {
  spanContext(): SpanContext;
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(error: Error | string): void;
  end(): void;
}

interface SpanOptions {
  kind: number;
  attributes: Attributes;
  links?: { context: SpanContext }[];
  root?: boolean;
  startTime?: number;
}

export interface Tracer {
  startSpan(name: string, options: SpanOptions, context?: unknown): Span;
}

interface TracerProvider {
  getTracer(name: string, version: string): Tracer;
  /** Only the package's own provider has it: undefined as long as nobody has registered one. */
  getDelegateTracer?(name: string, version: string): Tracer | undefined;
}

export interface TraceApi {
  trace: {
    getTracerProvider(): TracerProvider;
    getSpanContext(context: unknown): SpanContext | undefined;
    setSpan(context: unknown, span: Span): unknown;
    setSpanContext(context: unknown, span: SpanContext): unknown;
  };
  context: { active(): unknown; with<T>(context: unknown, work: () => T): T };
  ROOT_CONTEXT: unknown;
}

/** As the package numbers them. */
export const KIND = { client: 2, producer: 3, consumer: 4 } as const;
export const FAILED = 2;
