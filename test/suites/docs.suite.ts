import { loadSuite } from '../support/load-tests.js';

await loadSuite('docs');
