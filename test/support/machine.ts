const missing = new Set<string>();

/** Whether this machine has what a test needs: without it the test is skipped aloud, and in CI it fails. */
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
