import { describe } from '@jest/globals';
import { type Browser, chromium } from 'playwright-core';
import { CHROMIUM, hasChromium } from './machine.js';

/** Tests in a browser. */
export const describeInBrowser = (name: string, tests: () => void): void =>
  (hasChromium() ? describe : describe.skip)(name, tests);

/** A browser that calls nobody but the page's own server. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: ['no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run', 'disable-background-networking']
      .concat('disable-component-update', 'disable-sync')
      .map((flag) => `--${flag}`),
  });
