import { it } from '@jest/globals';
import { expectPythonPasses } from '../unit/client/fixtures/python.js';

it('clients/python passes its slow tests, too', () => expectPythonPasses({ SOFTDD_TASK_SLOW: '1' }, 600), 620_000);
