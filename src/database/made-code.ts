/**
 * A value made by code from text, with these names in scope: a loop over names of columns takes four times as long
 * (docs/performance.md). undefined where Node refuses to make code from text. Nothing in the text may be from outside.
 */
export function madeCode<T>(scope: Record<string, unknown>, text: string): T | undefined {
  try {
    return new Function(...Object.keys(scope), `return ${text};`)(...Object.values(scope)) as T;
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}
