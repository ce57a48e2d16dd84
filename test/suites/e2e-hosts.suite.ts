// The longest suite, because it installs whole hosts. Jest starts the largest file first, so this comment helps: what
// begins last would be a tail that one core works off alone.
import { loadSuite } from '../support/load-tests.js';

await loadSuite('e2e-hosts');
