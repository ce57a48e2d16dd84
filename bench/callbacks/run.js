import { fork } from 'node:child_process';
import { once } from 'node:events';

/** What one origin is given at once. */
const CONCURRENCY = 8;

/** Callbacks a second, each signed, taken under a lease and written down, against plain POSTs of the same bodies. */
export async function callbacks({ url, count }) {
  const receiver = fork(new URL('receiver.js', import.meta.url));
  const [{ port }] = await once(receiver, 'message');
  const args = [url, `http://127.0.0.1:${port}/done`, String(count), String(CONCURRENCY)];
  const child = fork(new URL('child.js', import.meta.url), args);
  receiver.on('message', () => child.connected && child.send('first'));
  try {
    const [result] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [undefined])]);
    if (!result) throw new Error('the callbacks were not delivered');
    return result;
  } finally {
    receiver.disconnect();
    if (child.exitCode === null) await once(child, 'exit');
  }
}
