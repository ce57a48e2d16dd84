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

export async function openStream(url: string, headers: Record<string, string>): Promise<EventStream> {
  const abort = new AbortController();
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: abort.signal });
  const stream: EventStream = {
    status: response.status,
    headers: response.headers,
    events: [],
    comments: 0,
    isOver: false,
    tasks: () => stream.events.filter(({ event }) => event === 'task').map(({ data }) => data),
    event: (what, fits) => until(what, () => stream.events.find(fits)),
    synced: () => stream.event('synced', ({ event }) => event === 'synced'),
    close: () => abort.abort(),
  };
  void read(response, stream)
    .catch(() => undefined)
    .finally(() => (stream.isOver = true));
  return stream;
}

async function read(response: Response, stream: EventStream): Promise<void> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
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
