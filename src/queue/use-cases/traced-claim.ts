import type { Task } from '../../contract/task.entity.js';
import { serviceOf, type Traces } from '../../protocol/traces.js';
import type { ClaimOptions } from './claim-options.js';

/** A span of a claim that took tasks. A claim in vain has none: workers ask again and again. */
export function traceClaim(traces: Traces, tasks: Task[], { workerId }: ClaimOptions, startTime: number): void {
  if (!traces.isOn || tasks.length === 0) return;
  traces
    .start({
      operation: 'claim',
      service: serviceOf(tasks),
      taskIds: tasks.map(({ taskId }) => taskId),
      links: tasks.map(({ traceparent }) => traceparent),
      startTime,
      attributes: workerId ? { 'messaging.client.id': workerId } : {},
    })
    .end();
}
