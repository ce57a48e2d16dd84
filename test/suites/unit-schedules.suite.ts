import { loadSuite } from '../support/load-tests.js';

await loadSuite('unit-schedules');
