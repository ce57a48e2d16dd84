/** Asks again and again until there is an answer; throws after two minutes, which no machine needs. */
export async function until<T>(what: string, ask: () => T | Promise<T>, seconds = 120): Promise<NonNullable<T>> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
