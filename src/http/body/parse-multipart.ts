import { isAscii, isUtf8 } from 'node:buffer';
import { type Input, malformed, unsupported } from '../../validation/body-problems.js';
import { FormInput } from './parse-form.js';

/** Most bytes of one part's headers. */
const MAX_HEADERS = 16 * 1024;
const CRLF = '\r\n';
/** What a part of text may call its encoding, as long as it is UTF-8 or ASCII. */
const CHARSETS = ['utf-8', 'utf8', 'us-ascii', 'ascii', 'iso-8859-1', 'windows-1252'];

/**
 * multipart/form-data (RFC 7578) of a body that is there as a whole.
 *
 * Not by a library: the ones for Node parse while the body comes in, so before anybody knows who sends it, and hand out
 * streams, whose unheard 'error' events end the process. This runs once the guards have let the request in, and whatever
 * fails, fails in this call. It stops at the first part that it refuses, takes no files, and guesses nothing: what two
 * parsers could read in two ways is refused. A test holds it against busboy.
 */
export function parseMultipart(bytes: Buffer, contentType: string): Input {
  const form = new FormInput('body');
  const delimiter = Buffer.from(`${CRLF}--${boundaryOf(contentType)}`);
  let place = afterFirst(delimiter, bytes);
  while (bytes.toString('latin1', place, place + 2) !== '--') {
    const { headers, start } = headersAt(place, bytes);
    const { name, ascii } = fieldOf(headers);
    const end = bytes.indexOf(delimiter, place);
    if (end < 0) throw invalidForm('it ends within a part');
    if (end < start) throw invalidForm('a boundary follows headers that have not ended');
    form.add(name, textOf(bytes.subarray(start, end), ascii));
    place = end + delimiter.length;
  }
  return form.input;
}

function boundaryOf(contentType: string): string {
  const boundary = parametersOf(contentType.replace(/^[^;]*/, ''))?.get('boundary');
  if (!boundary) throw invalidForm('its Content-Type names no boundary');
  return boundary;
}

/** The place behind the first boundary; a preamble may stand before it. */
function afterFirst(delimiter: Buffer, bytes: Buffer): number {
  const atStart = delimiter.subarray(CRLF.length);
  if (bytes.subarray(0, atStart.length).equals(atStart)) return atStart.length;
  const found = bytes.indexOf(delimiter);
  if (found < 0) throw invalidForm('the boundary that its Content-Type names is not in it');
  return found + delimiter.length;
}

/** The headers behind a boundary, and where the content begins. */
function headersAt(place: number, bytes: Buffer): { headers: string; start: number } {
  let line = place;
  while (bytes[line] === 0x20 || bytes[line] === 0x09) line += 1;
  if (bytes.toString('latin1', line, line + 2) !== CRLF) throw invalidForm('a boundary does not end its line');
  // With the line break before them: a part may have none.
  const block = bytes.subarray(line, line + MAX_HEADERS);
  const end = block.indexOf(CRLF + CRLF);
  if (end < 0) throw invalidForm(`the headers of a part do not end, or have more than ${MAX_HEADERS} bytes`);
  return { headers: textOf(block.subarray(CRLF.length, Math.max(end, CRLF.length))), start: line + end + 4 };
}

/** The field that a part's headers name. Files are refused. */
function fieldOf(headers: string): { name: string; ascii: boolean } {
  const { 'content-disposition': disposition = '', 'content-type': type = '' } = linesOf(headers);
  const parameters = /^form-data\s*(;|$)/i.test(disposition)
    ? parametersOf(disposition.slice('form-data'.length))
    : undefined;
  if (!parameters) throw invalidForm('a part has no Content-Disposition of form-data');
  if (parameters.has('filename') || parameters.has('filename*') || /^application\/octet-stream\b/i.test(type))
    throw unsupported('files are not taken; send text fields, e.g. the id of the file in your storage');
  const ofType = parametersOf(type.replace(/^[^;]*/, ''));
  if (!ofType) throw invalidForm('the Content-Type of a part is malformed');
  const charset = ofType.get('charset')?.toLowerCase() ?? 'utf-8';
  if (!CHARSETS.includes(charset)) throw unsupported('send UTF-8');
  const name = parameters.get('name') ?? decoded(parameters.get('name*'));
  if (!name) throw invalidForm('a part has no name');
  return { name, ascii: !charset.startsWith('utf') };
}

const TOKEN = /[\w!#$%&'*+.^`|~-]+/.source;
/** A name and a value without control characters. */
const HEADER = new RegExp(`^(${TOKEN}):([^\\x00-\\x08\\x0a-\\x1f\\x7f]*)$`);

function linesOf(headers: string): Record<string, string> {
  const lines: Record<string, string> = Object.create(null) as Record<string, string>;
  // A line that begins with a space goes on with the one before it.
  for (const line of headers.replaceAll(/\r\n[ \t]+/g, ' ').split(CRLF)) {
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    const known = name.toLowerCase();
    if (line !== '' && (name === '' || known in lines))
      throw invalidForm('a header of a part is malformed, or there twice');
    lines[known] = value.trim();
  }
  return lines;
}

const PARAMETER = new RegExp(`\\s*;\\s*(${TOKEN})=(?:"((?:[^"\\\\]|\\\\[^])*)"|(${TOKEN}))`, 'y');

/** `; name=value; name="value"`; undefined where that is not what it is, or where a name is there twice. */
function parametersOf(text: string): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  const given = text.trim();
  for (PARAMETER.lastIndex = 0; PARAMETER.lastIndex < given.length;) {
    const match = PARAMETER.exec(given);
    if (!match) return undefined;
    const [, name = '', quoted, plain = ''] = match;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(["\\])/g, '$1') ?? plain);
  }
  return parameters;
}

/** `utf-8'en'%C3%A9` (RFC 8187). */
function decoded(value = ''): string | undefined {
  const [, encoded] = /^utf-8'[^']*'(.*)$/i.exec(value) ?? [];
  try {
    return encoded && decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

function textOf(bytes: Buffer, ascii = false): string {
  if (!(ascii ? isAscii(bytes) : isUtf8(bytes))) throw malformed('must be UTF-8');
  return bytes.toString();
}

const invalidForm = (why: string): Error => malformed(`must be multipart/form-data: ${why}`);
