/** Statements whose values have fewer characters in total are never refused because of their size. */
export const LARGE_CHARS = 32_000;

const SENT = Symbol('characters on their way when the statement failed');

/** Characters of all values of these statements, including those in lists and in lists of lists. */
export function charsOf(statements: readonly { values: unknown[] }[]): number {
  const count = (value: unknown): number =>
    typeof value === 'string'
      ? value.length
      : Array.isArray(value)
        ? value.reduce<number>((sum, each) => sum + count(each), 0)
        : 0;
  return statements.reduce((sum, { values }) => sum + count(values), 0);
}

/** Notes the size on an error. Not if COMMIT was sent: its outcome is unknown, and nothing may run again. */
export function noteSize(error: unknown, chars: number): void {
  if (error instanceof Error) Object.defineProperty(error, SENT, { value: chars, configurable: true });
}

/** Characters that were being sent when this error occurred, or 0. */
export const sizeNoted = (error: unknown): number => (error as { [SENT]?: number })[SENT] ?? 0;
