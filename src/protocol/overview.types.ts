/* What is in the queue and what happened in it, as in the OpenAPI document. */

/** Mean and 95th percentile in milliseconds. null if nothing was timed. */
export interface Timed {
  mean: number | null;
  p95: number | null;
}

/** What happened in a time. */
export interface Activity {
  created: number;
  started: number;
  finished: number;
  failed: number;
  retried: number;
  expired: number;
  cancelled: number;
  /** From ready to claimed. */
  waitMs: Timed;
  /** From the claim to the report that ended the attempt. */
  runMs: Timed;
}

/** Whose tasks stand first in a service with many ready tasks, or one in which owners take turns. */
export interface ReadyOwners {
  /** Tasks that were looked at: the next 1,000 that claims would find. */
  lookedAt: number;
  /** Most tasks first, ready or running, at most 5. `running`: null where the service counts nobody's. */
  list: { userId: string; ready: number; running: number | null }[];
}

export interface ServiceOverview {
  /** Empty: the services beyond the 200 that are told apart. */
  service: string;
  ready: number;
  waiting: number;
  running: number;
  oldestReadySeconds: number | null;
  /** Those of the numbers at which counting ended: there may be more. */
  atLeast: string[];
  paused: boolean;
  pausedUntil: string | null;
  note: string | null;
  /** null: it has no such limit. */
  maxRunning: number | null;
  /** Why claims find no task now, if a pause or a limit is the reason. */
  wait: 'paused' | 'limit' | 'rate' | null;
  /** Whose the next of its ready tasks are. null: fewer than 100 are ready and owners take no turns, or 20 services have more. */
  owners: ReadyOwners | null;
  last5m: Activity;
  last60m: Activity;
}

export interface Overview {
  services: ServiceOverview[];
  callbacks: {
    pending: number;
    dead: number;
    oldestPendingSeconds: number | null;
    /** Where the newest 1,000 dead ones should have gone: the 10 origins with most of them. */
    deadOrigins: { origin: string; dead: number }[];
  };
  /** Workers that hold tasks. */
  workers: number;
  /** What the operator who asks may do: everything, or only read. */
  access: 'all' | 'read';
  /** `version`: of @softdd/task. */
  server: { version: string; engine: string; engineVersion: string };
  time: string;
}

export interface StatsQuery {
  /** By default an hour before `to`: ISO 8601 with its zone. */
  from?: string;
  /** By default now. */
  to?: string;
  /** Seconds of a point, a multiple of 60. */
  step?: number;
  service?: string;
}

export interface Stats {
  from: string;
  to: string;
  step: number;
  points: (Activity & { time: string })[];
}
