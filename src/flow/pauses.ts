import { type Database, reading } from '../database/database.js';
import { type Job, Poller, type Service } from '../polling/poller.js';
import type { Gates } from '../queue/gates.js';
import type { ServiceStore } from './service.store.js';

/** Milliseconds between two looks: every process knows a pause within a second. */
const INTERVAL = { shortest: 500, longest: 500 } as const;

/** Closes the gates of the services that are paused, also by other processes. */
export class Pauses implements Job, Service {
  readonly name = 'looking for paused services';
  readonly interval = INTERVAL;
  private readonly poller = new Poller(this);

  constructor(
    private readonly database: Database,
    private readonly store: ServiceStore,
    private readonly gates: Gates,
    /** Called when a service has been resumed. */
    private readonly resumed: () => void,
  ) {}

  async run(): Promise<boolean> {
    if (this.gates.close(await reading(this.database, () => this.store.paused()))) this.resumed();
    return false;
  }

  start(): void {
    this.poller.start();
  }

  stop(): Promise<void> {
    return this.poller.stop();
  }
}
