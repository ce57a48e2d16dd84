import { it } from '@jest/globals';
import { expectPythonPasses, ROUND_TRIP } from '../../unit/client/fixtures/python.js';
import { itInWhole } from '../../support/host.js';

it('clients/python takes a task to a worker and back', () => expectPythonPasses({}, 200, ROUND_TRIP));

it('clients/python links the spans of its handlers to the create', () =>
  expectPythonPasses({}, 200, ['tests.test_traces']));

// They take half a minute of the processor: in `npm run test:all`.
itInWhole(
  'clients/python passes its own tests against a real server; what takes longer is in test/chaos',
  () => expectPythonPasses({}, 240),
  270_000,
);
