/**
 * Milliseconds before a claim looks again that other transactions kept from limited services. After the last one it
 * ends without tasks.
 */
const PAUSES = [10, 20, 40, 80, 160, 320];

/** Runs a claim again, for about half a second, while other transactions keep it from limited services. */
export async function untilFree<R extends { isHeld?: boolean | undefined }>(run: () => Promise<R>): Promise<R> {
  for (const pause of PAUSES) {
    const result = await run();
    if (!result.isHeld) return result;
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
  }
  return run();
}
