import { createPostgresBackend, withBackend } from 'bullmq';
import { bullmqOn } from './bullmq.js';

export const { thin: bullmqPostgresThin, guarded: bullmqPostgres } = bullmqOn('BullMQ on PostgreSQL', {
  classes: withBackend(createPostgresBackend),
  connect: (url) => ({ connectionString: url, max: 16, migrate: true }),
});
