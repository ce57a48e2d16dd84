import { isAscii, isUtf8 } from 'node:buffer';
import { type Input, malformed, unsupported } from '../../validation/body-problems.js';
import { FormInput } from './parse-form.js';

/** The headers of one part have at most this number of bytes. */
const MAX_HEADERS = 16 * 1024;
const CRLF = '\r\n';
/** Names that a part may give its encoding, as long as its text is UTF-8 or ASCII. */
const CHARSETS = ['utf-8', 'utf8', 'us-ascii', 'ascii', 'iso-8859-1', 'windows-1252'];

/**
 * Parses multipart/form-data (RFC 7578) in a complete body.
 *
 * No library does this for us. The libraries for Node parse while the body arrives, before any guard runs, and they
 * return streams, whose 'error' events end the process if nobody listens. This function runs after the guards, and
 * each failure is an exception of this call. It stops at the first part that it refuses, and accepts no files. It
 * refuses everything that two parsers could read differently. A test compares it with busboy.
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

/** The position after the first boundary. A preamble may come before it. */
function afterFirst(delimiter: Buffer, bytes: Buffer): number {
  const atStart = delimiter.subarray(CRLF.length);
  if (bytes.subarray(0, atStart.length).equals(atStart)) return atStart.length;
  const found = bytes.indexOf(delimiter);
  if (found < 0) throw invalidForm('it does not contain the boundary that its Content-Type names');
  return found + delimiter.length;
}

/** The headers after a boundary, and the position where the content begins. */
function headersAt(place: number, bytes: Buffer): { headers: string; start: number } {
  let line = place;
  while (bytes[line] === 0x20 || bytes[line] === 0x09) line += 1;
  if (bytes.toString('latin1', line, line + 2) !== CRLF) throw invalidForm('a boundary does not end its line');
  // Includes the line break before the headers, because a part may have no headers.
  const block = bytes.subarray(line, line + MAX_HEADERS);
  const end = block.indexOf(CRLF + CRLF);
  if (end < 0) throw invalidForm(`the headers of a part do not end, or have more than ${MAX_HEADERS} bytes`);
  return { headers: textOf(block.subarray(CRLF.length, Math.max(end, CRLF.length))), start: line + end + 4 };
}

/** Reads the name of the field from a part's headers. Refuses files. */
function fieldOf(headers: string): { name: string; ascii: boolean } {
  const { 'content-disposition': disposition = '', 'content-type': type = '' } = linesOf(headers);
  const parameters = /^form-data\s*(;|$)/i.test(disposition)
    ? parametersOf(disposition.slice('form-data'.length))
    : undefined;
  if (!parameters) throw invalidForm('a part has no Content-Disposition of form-data');
  if (parameters.has('filename') || parameters.has('filename*') || /^application\/octet-stream\b/i.test(type))
    throw unsupported('files are not accepted; send text fields, e.g. the id of the file in your storage');
  const ofType = parametersOf(type.replace(/^[^;]*/, ''));
  if (!ofType) throw invalidForm('the Content-Type of a part is malformed');
  const charset = ofType.get('charset')?.toLowerCase() ?? 'utf-8';
  if (!CHARSETS.includes(charset)) throw unsupported(`charset ${charset} is not supported; send UTF-8`);
  const name = parameters.get('name') ?? decoded(parameters.get('name*'));
  if (!name) throw invalidForm('a part has no name');
  return { name, ascii: !charset.startsWith('utf') };
}

const TOKEN = /[\w!#$%&'*+.^`|~-]+/.source;
/** A header: its value has no control characters. */
const HEADER = new RegExp(`^(${TOKEN}):([^\\x00-\\x08\\x0a-\\x1f\\x7f]*)$`);

function linesOf(headers: string): Record<string, string> {
  const lines: Record<string, string> = Object.create(null) as Record<string, string>;
  // A line that begins with a space continues the line before it.
  for (const line of headers.replaceAll(/\r\n[ \t]+/g, ' ').split(CRLF)) {
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    const known = name.toLowerCase();
    if (line !== '' && (name === '' || known in lines))
      throw invalidForm('a header of a part is malformed or appears twice');
    lines[known] = value.trim();
  }
  return lines;
}

const PARAMETER = new RegExp(`\\s*;\\s*(${TOKEN})=(?:"((?:[^"\\\\]|\\\\[^])*)"|(${TOKEN}))`, 'y');

/** Parses `; name=value; name="value"`. Returns undefined if the text has another form, or a name appears twice. */
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

/** Decodes a value such as `utf-8'en'%C3%A9` (RFC 8187). */
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
