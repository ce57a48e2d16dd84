/**
 * The private part of mysql2 that the queue uses: the socket of a connection. No other file of src/ uses it, and a test
 * names it if a release of mysql2 moves it.
 */

/**
 * Closes a connection at once. The driver's own `destroy()` waits until the other side closes, too: on a dead line it
 * waits without end.
 */
export function hangUp(client: { destroy(): void }): void {
  client.destroy();
  (client as { stream?: { destroy(): void } }).stream?.destroy();
}
