import { measurementOf } from './dist/src/metrics/measurement.js';
import { Rollup } from './dist/src/metrics/rollup.js';
import { PrometheusMetrics } from './dist/src/metrics/prometheus.js';
import { AttemptLog } from './dist/src/metrics/attempt-log.js';
import prom from 'prom-client';
const rollup = new Rollup(['default']);
const p = new PrometheusMetrics(prom, undefined, 'q', ['default']);
const now = new Date();
const task = { service: 'default', createdAt: now, startedAt: now, updatedAt: now };
const events = [{ type: 'created', task }, { type: 'started', task, readySince: now }, { type: 'finished', task, attempt: { outcome: 'finished', error: null } }];
const log = new AttemptLog({ *insert(x) { } });
function bench(name, f) { for (let i = 0; i < 50000; i++) f(); let best = 1e9; for (let r = 0; r < 5; r++) { const c = process.cpuUsage(); for (let i = 0; i < 200000; i++) f(); const d = process.cpuUsage(c); best = Math.min(best, (d.user + d.system) / 200000); } console.log(name, best.toFixed(3), 'us a task'); }
bench('measurementOf', () => { for (const e of events) measurementOf(e); });
bench('measurement+rollup', () => { for (const e of events) { const m = measurementOf(e); rollup.add(m); } });
bench('measurement+rollup+prom', () => { for (const e of events) { const m = measurementOf(e); rollup.add(m); p.add(m); } });
bench('claimTook', () => p.claimTook(3));
bench('transactionTook', () => p.transactionTook(3));
bench('attemptlog', () => { for (const x of log.add(events)); });
