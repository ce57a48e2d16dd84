/** A text as the page shows it. */
export interface Pretty {
  text: string;
  isJson: boolean;
}

/**
 * Indents JSON without reading its numbers: `JSON.parse` would round those of 64 bits. Other texts stay as they are.
 */
export function pretty(text: string): Pretty {
  if (!/^\s*[[{]/.test(text) || !isJson(text)) return { text, isJson: false };
  let depth = 0;
  let out = '';
  // Strings as a whole, then marks, then numbers and words; white space between them is dropped.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    if (token === '}' || token === ']') depth--;
    const isEmpty = /[[{]$/.test(out) && (token === '}' || token === ']');
    if (!isEmpty && (token === '}' || token === ']' || /[[{,]$/.test(out.at(-1) ?? ''))) out += line(depth);
    out += token;
    if (token === '{' || token === '[') depth++;
    if (token === ':') out += ' ';
  }
  return { text: out, isJson: true };
}

const line = (depth: number): string => `\n${'  '.repeat(depth)}`;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
