import { type Input, malformed, unsupported } from '../../validation/body-problems.js';
import { FormInput } from './parse-form.js';
import { checkNames, inputOf } from '../../validation/parse-json.js';

/** The properties that a host's parser sets on a request whose body it has read. */
export interface HostParsed {
  body?: unknown;
  /** From multer or express-fileupload. */
  file?: unknown;
  files?: unknown;
}
type Parse = (bytes: Buffer) => Input | Input[];

/**
 * The parameters in a body that the host has already read: a parser on the host's own Express or Fastify instance, or a
 * serverless platform. The rules of bodies apply, as far as they can still be checked.
 */
export function hostParsedBody({ body, file, files }: HostParsed, contentType = '', parse: Parse): Input | Input[] {
  if (hasAny(file) || hasAny(files))
    throw unsupported('files are not accepted; send text fields, e.g. the id of the file in your storage');
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

/** Makes the form from the parsed fields, because parsers treat `ids[]` and empty values differently. */
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
