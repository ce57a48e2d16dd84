import { endSpan, type Traces, traceparentOf } from '../../protocol/traces.js';
import type { TakenCallback } from '../callback.rows.js';
import type { Answer } from './delivery.js';

/**
 * One try in a span, if there are spans. `post` gets the trace for the receiver: that span, otherwise the trace in which
 * the task was created.
 */
export async function tracedDelivery(
  traces: Traces,
  { id, taskId, url, origin, body, traceparent, attempts }: TakenCallback,
  post: (traceparent: string | undefined) => Promise<Answer>,
): Promise<Answer> {
  if (!traces.isOn) return post(traceparent ?? undefined);
  const { hostname, port, protocol } = new URL(url);
  const span = traces.start({
    operation: 'callback',
    service: serviceIn(body) ?? origin,
    taskIds: [taskId],
    parent: null,
    links: [traceparent],
    attributes: {
      'messaging.message.conversation_id': id,
      'server.address': hostname,
      'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
      'http.request.resend_count': attempts - 1,
    },
  });
  try {
    const answer = await traces.within(span, () => post(traceparentOf(span.spanContext())));
    if ('status' in answer) span.setAttributes({ 'http.response.status_code': answer.status });
    endSpan(span, 'error' in answer ? answer.error : answer.status >= 300 ? `answered ${answer.status}` : undefined);
    return answer;
  } catch (error) {
    endSpan(span, error);
    throw error;
  }
}

/** The body is what the host makes of its tasks, so it may have no service. */
function serviceIn(body: string): string | undefined {
  const { data } = JSON.parse(body) as { data?: { service?: unknown } };
  return typeof data?.service === 'string' ? data.service : undefined;
}
