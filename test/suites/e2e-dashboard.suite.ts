import { loadSuite } from '../support/load-tests.js';

await loadSuite('e2e-dashboard');
