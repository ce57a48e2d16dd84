import { isUtf8 } from 'node:buffer';
import { invalid } from '../../validation/invalid.js';
import { forbidProto, type Input, malformed, MAX_FIELDS, tooManyFields } from '../../validation/body-problems.js';

/** UTF-8 may come without percent-encoding, as curl sends it. */
export function parseUrlencoded(bytes: Buffer): Input {
  if (!isUtf8(bytes)) throw malformed('must be UTF-8');
  return parseForm(bytes.toString(), 'body');
}

/**
 * Parses `name=value&…` in a body or a query. An empty value counts as absent. `ids[]=`, `ids[0]=` are lists, as in
 * PHP.
 */
export function parseForm(text: string, field: 'body' | 'query'): Input {
  const form = new FormInput(field);
  for (const [pair] of text.matchAll(/[^&]+/g)) {
    const mark = pair.indexOf('=');
    const [name, value] = mark < 0 ? [pair, ''] : [pair.slice(0, mark), pair.slice(mark + 1)];
    form.add(decode(name, field), decode(value, field));
  }
  return form.input;
}

function decode(text: string, field: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid([{ field, rule: 'encoding', msg: `${field} must be percent-encoded UTF-8` }]);
  }
}

/** Objects that inherit no name. `Object.create(null)` would make each a dictionary, which is slow to read and copy. */
const NamesOnly = function () {} as unknown as new () => Input;
NamesOnly.prototype = Object.create(null);

/** Collects the fields of a form. */
export class FormInput {
  readonly input = new NamesOnly();
  private count = 0;

  constructor(private readonly field: 'body' | 'query') {}

  add(name: string, value: string): void {
    this.count += 1;
    if (this.count > MAX_FIELDS) throw tooManyFields(this.field);
    const [, base = name] = (name.endsWith(']') && /^(.+)\[\d*\]$/.exec(name)) || [];
    forbidProto(base);
    if (value === '') return;
    const known = this.input[base];
    if (base !== name) {
      if (Array.isArray(known)) known.push(value);
      else this.input[base] = [value];
    } else this.input[name] = known === undefined ? value : [known, value].flat();
  }
}
