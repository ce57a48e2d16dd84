import { type Input, malformed, unsupported } from '../../validation/body-problems.js';
import { FormInput } from './parse-form.js';
import { checkNames, inputOf } from '../../validation/parse-json.js';

/** What a host's own parser leaves on a request whose body it has read before us. */
export interface HostParsed {
  body?: unknown;
  /** Of multer's and express-fileupload's. */
  file?: unknown;
  files?: unknown;
}
type Parse = (bytes: Buffer) => Input | Input[];

/**
 * The parameters in a body that the host had read before us: a parser on an Express or Fastify that it had made itself,
 * or a serverless platform. It is held to the rules of the bodies that we read, as far as they can still be checked.
 */
export function hostParsedBody({ body, file, files }: HostParsed, contentType = '', parse: Parse): Input | Input[] {
  if (hasAny(file) || hasAny(files))
    throw unsupported('files are not taken; send text fields, e.g. the id of the file in your storage');
  if (typeof body === 'string') return parse(Buffer.from(body));
  if (body instanceof Uint8Array) return parse(Buffer.from(body));
  if (typeof body !== 'object' || body === null) return {};
  checkNames(body);
  return /^\s*(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(contentType) && !Array.isArray(body)
    ? formOf(body as Input)
    : inputOf(body);
}

const hasAny = (files: unknown): boolean =>
  typeof files === 'object' && files !== null && Object.keys(files).length > 0;

/** Parsers differ in what they make of `ids[]` and of empty values. */
function formOf(fields: Input): Input {
  const form = new FormInput('body');
  for (const [name, value] of Object.entries(fields)) {
    if (Array.isArray(value))
      for (const item of value as unknown[]) {
        if (typeof item !== 'string') throw malformed('must have text fields');
        form.add(name.endsWith(']') ? name : `${name}[]`, item);
      }
    else if (typeof value === 'string') form.add(name, value);
    else form.input[name] = value;
  }
  return form.input;
}
