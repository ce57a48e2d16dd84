/** One event as the server writes it. */
export interface ServerEvent {
  event: string;
  id: string;
  data: unknown;
}

/** Milliseconds without a byte after which a stream is dead. The server writes something every 15 seconds. */
const SILENCE = 45_000;

/** The events of an answer, until it ends, or breaks off, or the signal is aborted. */
export async function* eventsOf(response: Response, signal?: AbortSignal): AsyncGenerator<ServerEvent> {
  const reader = response.body!.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal?.addEventListener('abort', stop);
  const decoder = new TextDecoder();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let text = '';
  try {
    for (;;) {
      timer = setTimeout(stop, SILENCE);
      const { done, value } = await reader.read();
      clearTimeout(timer);
      if (done) return;
      const blocks = (text + decoder.decode(value, { stream: true })).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const field = (name: string): string =>
          block
            .split('\n')
            .find((line) => line.startsWith(`${name}: `))
            ?.slice(name.length + 2) ?? '';
        if (field('data')) yield { event: field('event'), id: field('id'), data: JSON.parse(field('data')) as unknown };
      }
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    stop();
  }
}
