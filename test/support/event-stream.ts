import { type IncomingMessage, request } from 'node:http';
import { createGunzip } from 'node:zlib';
import { until } from './until.js';

export interface StreamEvent {
  event: string;
  id: string;
  data: any;
  /** Milliseconds of the monotonic clock at which it came. */
  at: number;
}

/** A stream of server-sent events, as it comes in. */
export interface EventStream {
  status: number;
  headers: Headers;
  events: StreamEvent[];
  /** Lines that begin with a colon. */
  comments: number;
  /** The server, or the network, has ended it. */
  isOver: boolean;
  /** Events of tasks. */
  tasks(): any[];
  /** Waits for an event. */
  event(what: string, fits: (event: StreamEvent) => boolean): Promise<StreamEvent>;
  /** Waits for the end of the snapshot. */
  synced(): Promise<StreamEvent>;
  close(): void;
}

/** Not by fetch: when that is aborted it opens another connection, which a server that stops waits for. */
export async function openStream(url: string, headers: Record<string, string>): Promise<EventStream> {
  const sent = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    sent.once('response', resolve).once('error', reject).end(),
  );
  sent.on('error', () => undefined);
  const stream: EventStream = {
    status: response.statusCode!,
    headers: new Headers(response.headers as Record<string, string>),
    events: [],
    comments: 0,
    isOver: false,
    tasks: () => stream.events.filter(({ event }) => event === 'task').map(({ data }) => data),
    event: (what, fits) => until(what, () => stream.events.find(fits)),
    synced: () => stream.event('synced', ({ event }) => event === 'synced'),
    close: () => void sent.destroy(),
  };
  void read(response, stream)
    .catch(() => undefined)
    .finally(() => (stream.isOver = true));
  return stream;
}

async function read(response: IncomingMessage, stream: EventStream): Promise<void> {
  let text = '';
  const body = response.headers['content-encoding'] === 'gzip' ? response.pipe(createGunzip()) : response;
  for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const lines = block.split('\n');
      if (block.startsWith(':')) stream.comments++;
      const field = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data');
      if (data !== undefined)
        stream.events.push({
          event: field('event') ?? 'message',
          id: field('id') ?? '',
          data: JSON.parse(data),
          at: performance.now(),
        });
    }
  }
}
