import type { Task } from '../../contract/task.entity.js';
import { spanContextOf } from '../../protocol/traceparent.js';
import { endSpan, serviceOf, type Traces, traceparentOf } from '../../protocol/traces.js';
import type { NewRow } from '../stores/task.store.js';

/**
 * Creates tasks in a span, if there are spans, and writes to the rows which trace they belong to: that span, otherwise
 * the active one, otherwise the caller's. The rows are complete before the first statement is sent.
 */
export async function traced<T extends Task>(
  traces: Traces,
  rows: NewRow[],
  given: unknown,
  create: () => Promise<T[]>,
): Promise<T[]> {
  const { active } = traces;
  const caller = active === undefined && spanContextOf(given) ? (given as string) : undefined;
  if (!traces.isOn) {
    const trace = active ?? (caller === undefined ? undefined : traceparentOf(spanContextOf(caller)!));
    if (trace !== undefined) for (const row of rows) row.traceparent = trace;
    return create();
  }
  const taskIds = rows.map(({ taskId }) => taskId);
  const span = traces.start({
    operation: 'create',
    service: serviceOf(rows as { service?: unknown }[]),
    taskIds,
    parent: caller,
  });
  for (const row of rows) row.traceparent = traceparentOf(span.spanContext());
  try {
    const tasks = await create();
    // The tasks of an earlier request with the same key.
    if (tasks.length === 1) span.setAttributes({ 'messaging.message.id': tasks[0]!.taskId });
    endSpan(span);
    return tasks;
  } catch (error) {
    endSpan(span, error);
    throw error;
  }
}
