import type { Logger } from '@nestjs/common';

/** Milliseconds between looks for what other processes wrote or what is due again: soon after a find, rarer without. */
const PAUSE = { shortest: 100, longest: 1000 } as const;
/** Milliseconds after a look that found nothing before a commit of this process brings about the next. */
const REST = 25;

/** Looks for callbacks again and again, one look at a time: by a clock, and when told that there may be something. */
export class Looks {
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> | undefined;
  private pause: number = PAUSE.shortest;
  private rested = 0;
  private started = false;
  private stopped = false;
  /** Told while a look was under way. */
  private told = false;
  private failing = false;

  constructor(
    /** Answers whether it found something. */
    private readonly find: () => Promise<boolean>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.started = true;
    this.wake();
  }

  /** There may be something new: a look, unless the last one was just now. */
  wake(): void {
    this.again(this.rested + REST - performance.now());
  }

  /** A look after the one that is under way, or after so many milliseconds. */
  again(milliseconds = 0): void {
    if (!this.started || this.stopped) return;
    if (this.current) this.told = true;
    else this.lookIn(Math.max(0, milliseconds));
  }

  /** No more of them; ends with the one that is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.current;
  }

  private lookIn(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.current = this.look().finally(() => {
        this.current = undefined;
        if (this.stopped) return;
        if (this.told) this.again();
        else this.lookIn(this.pause * (0.7 + Math.random() * 0.3));
      });
    }, milliseconds);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    this.told = false;
    try {
      const found = await this.find();
      this.failing = false;
      this.rested = performance.now();
      this.pause = found ? PAUSE.shortest : Math.min(this.pause * 2, PAUSE.longest);
    } catch (error) {
      this.pause = PAUSE.longest;
      // A database that is away is away for many looks: said once.
      if (!this.failing) this.logger.warn(`callbacks wait, and are tried again: ${(error as Error).message}`);
      this.failing = true;
    }
  }
}
