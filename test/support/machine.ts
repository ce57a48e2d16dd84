import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const missing = new Set<string>();

/**
 * Whether this machine has what a test needs: without it the test is skipped aloud, and in CI it fails. Every skip of a
 * test for want of a program goes through this function.
 */
export function machineHas(what: string, probe: () => unknown): boolean {
  try {
    probe();
    return true;
  } catch {
    if (process.env.CI === 'true') throw new Error(`CI needs ${what}`);
    if (!missing.has(what)) process.stdout.write(`\n  NOT TESTED: this machine has no ${what}\n`);
    missing.add(what);
    return false;
  }
}

const runs = (file: string, ...args: string[]): void => void execFileSync(file, args, { stdio: 'pipe' });

export const CHROMIUM = '/usr/bin/chromium';

export const hasNginx = (): boolean => machineHas('nginx', () => runs('nginx', '-v'));
export const hasPgbouncer = (): boolean => machineHas('pgbouncer', () => runs('pgbouncer', '--version'));
export const hasPhp = (): boolean =>
  machineHas('PHP with curl and pdo_mysql (Debian: php-cli php-curl php-mysql)', () =>
    runs('php', '-r', 'exit(extension_loaded("curl") && extension_loaded("pdo_mysql") ? 0 : 1);'),
  );
export const hasChromium = (): boolean =>
  machineHas(`${CHROMIUM} (Debian: chromium)`, () => {
    if (!existsSync(CHROMIUM)) throw new Error('none');
  });
