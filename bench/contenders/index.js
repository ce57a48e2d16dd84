import { bullmq, bullmqThin } from './bullmq.js';
import { bullmqPostgres, bullmqPostgresThin } from './bullmq-postgres.js';
import { byHand } from './by-hand.js';
import { empty } from './empty.js';
import { graphileWorker } from './graphile-worker.js';
import { original } from './original.js';
import { pgBoss } from './pg-boss.js';
import { softdd } from './softdd.js';

export const CONTENDERS = {
  softdd,
  bullmq,
  bullmqThin,
  bullmqPostgres,
  bullmqPostgresThin,
  byHand,
  empty,
  graphileWorker,
  original,
  pgBoss,
};
