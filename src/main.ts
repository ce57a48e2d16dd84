import { readConfig } from './server/config.js';
import { exitWith } from './server/failure.js';
import { serve } from './server/serve.js';

try {
  await serve(readConfig());
} catch (error) {
  exitWith(error);
}
