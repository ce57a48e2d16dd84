const NONE: ReadonlySet<string> = new Set();

/**
 * The services whose tasks no claim gets at the moment. It filters claims, and never changes a task: a ready task keeps
 * its status and its place.
 */
export class Gates {
  private closed = NONE;

  /** Names of the closed services. */
  get closedServices(): ReadonlySet<string> {
    return this.closed;
  }

  isClosed(service: string): boolean {
    return this.closed.has(service);
  }

  /** Closes these services, and opens all others. Returns whether one was opened. */
  close(services: Iterable<string>): boolean {
    const before = this.closed;
    this.closed = new Set(services);
    return [...before].some((service) => !this.closed.has(service));
  }
}
