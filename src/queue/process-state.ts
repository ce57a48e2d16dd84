/** Whether this process is at work: it has started, and does not stop yet. */
export class ProcessState {
  /** Why it does not work. */
  problem: string | undefined = 'has not started yet';

  start(): void {
    this.problem = undefined;
  }

  drain(): void {
    this.problem = 'is stopping';
  }

  async stop(): Promise<void> {
    this.drain();
  }
}
