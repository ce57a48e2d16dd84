import { existsSync } from 'node:fs';
import { describe, it } from '@jest/globals';
import { type Browser, chromium } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';

/** Tests in a browser; where there is none they are skipped, and said to be, but not in CI. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (existsSync(PROGRAM)) return describe(name, tests);
  if (process.env.CI === 'true')
    return describe(name, () => {
      it('needs a browser', () => {
        throw new Error(`CI needs ${PROGRAM}`);
      });
    });
  process.stdout.write(`${name}: skipped, there is no ${PROGRAM} (apt-get install chromium)\n`);
  describe.skip(name, tests);
}

/** A browser that calls nobody but the page's own server. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: PROGRAM,
    args: ['no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run', 'disable-background-networking']
      .concat('disable-component-update', 'disable-sync')
      .map((flag) => `--${flag}`),
  });
