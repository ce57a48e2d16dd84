import { isUtf8 } from 'node:buffer';
import { invalid } from './invalid.js';
import { forbidProto, type Input, malformed, MAX_FIELDS, NULLS, tooLarge, tooManyFields } from './body-problems.js';

/** Levels of lists and objects inside each other. Our own need three; the rest is for a host's own fields. */
const MAX_DEPTH = 64;
/** The most fields and nested values of a JSON body: a thousand tasks, or a hundred reports. */
const MAX_VALUES = 40_000;

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const [LIST, OBJECT, LIST_END, OBJECT_END] = [0x5b, 0x7b, 0x5d, 0x7d];

/** A JSON body: an object of parameters, or a list of such objects. */
export function parseJson(bytes: Buffer): Input | Input[] {
  if (!isUtf8(bytes)) throw malformed('must be UTF-8');
  const text = withoutMark(bytes);
  if (text.length === 0) return {};
  const value = readJson(text);
  if (typeof value !== 'object' || value === null) throw malformed('must be a JSON object');
  checkNames(value);
  return inputOf(value);
}

/**
 * The value of a JSON text. Its shape is checked before it is parsed, so that a text of half a million brackets only
 * costs a scan of its bytes. INVALID_PARAM if it is not JSON or nested too deeply, TOO_LARGE if it has too many values.
 */
export function readJson(bytes: Buffer): unknown {
  checkShape(bytes);
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw malformed(`must be JSON: ${(error as Error).message}`);
  }
}

/** The parameters in a body that a host's parser or ours has read. */
export function inputOf(value: object): Input | Input[] {
  if (!Array.isArray(value)) return dropNull(value as Input);
  return (value as unknown[]).map((item, index) => {
    if (typeof item === 'object' && item !== null && !Array.isArray(item)) return dropNull(item as Input);
    throw invalid([{ field: `[${index}]`, rule: 'isObject', msg: `[${index}] must be a JSON object` }]);
  });
}

const tooDeep = (): Error => malformed(`is nested too deeply; at most ${MAX_DEPTH} levels are allowed`);

/** Bounds the depth, and the number of fields and nested values. */
function checkShape(bytes: Buffer): void {
  let depth = 0;
  let values = 0;
  let inText = false;
  for (let place = 0; place < bytes.length; place++) {
    const byte = bytes[place];
    if (inText) {
      if (byte === BACKSLASH) place += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === COLON) values += 1;
    else if (byte === LIST || byte === OBJECT) {
      values += 1;
      depth += 1;
      if (depth > MAX_DEPTH) throw tooDeep();
    } else if (byte === LIST_END || byte === OBJECT_END) depth -= 1;
    if (values > MAX_VALUES) throw tooLarge('body', 'maxFields', `must have at most ${MAX_VALUES} values`);
  }
}

/** Later steps take time that grows with the square of an object's fields. */
export function checkNames(container: object, depth = 1): void {
  if (depth > MAX_DEPTH) throw tooDeep();
  if (!Array.isArray(container)) {
    const names = Object.keys(container);
    if (names.length > MAX_FIELDS) throw tooManyFields('body');
    names.forEach(forbidProto);
  }
  for (const inner of Object.values(container) as unknown[])
    if (typeof inner === 'object' && inner !== null) checkNames(inner, depth + 1);
}

/** Some editors and shells put a byte order mark before UTF-8 (RFC 8259, 8.1: a parser may ignore it). */
const withoutMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;

/** null means absent, for legacy clients. Only rules of values that can be removed look at `NULLS`. */
function dropNull(input: Input): Input {
  if (!Object.values(input).includes(null)) return input;
  const [nulls, others] = [true, false].map((isNull) =>
    Object.entries(input).filter(([, value]) => (value === null) === isNull),
  );
  return { ...Object.fromEntries(others!), [NULLS]: nulls!.map(([name]) => name) };
}
