/** Milliseconds for which an answer is given again. */
const SHORTEST = 2000;
/** The share of the time that reading may take: what took 1 s is read again after 20 s. */
const SHARE = 1 / 20;

/** The answer of a reading that many ask for. At most one reading runs at a time. A failure is not kept. */
export class Cached<T> {
  private answer: { value: T; until: number } | undefined;
  private reading: Promise<T> | undefined;

  constructor(
    private readonly read: () => Promise<T>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  async get(): Promise<T> {
    if (this.answer && this.now() < this.answer.until) return this.answer.value;
    this.reading ??= this.again().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async again(): Promise<T> {
    const began = this.now();
    const value = await this.read();
    const took = this.now() - began;
    this.answer = { value, until: this.now() + Math.max(SHORTEST, took / SHARE) };
    return value;
  }
}
