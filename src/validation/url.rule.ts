import { figure, valueRule } from './rule.js';

/** The most characters of a URL in a request, and of any URL as it is stored. */
const URL_LENGTH = 2048;
export const HREF_LENGTH = 8000;

/** An http or https URL. undefined if the text is not one. */
export function httpUrl(text: unknown): URL | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return ['http:', 'https:'].includes(url.protocol) ? url : undefined;
}

/** The URL that a request may send, independent of `callbackAllow`. */
export const urlRule = valueRule(
  (value) => {
    if (typeof value !== 'string') return { rule: 'string', msg: 'must be a string' };
    if (value.length > URL_LENGTH) return { rule: 'maxLength', msg: `must be at most ${URL_LENGTH} characters` };
    const url = httpUrl(value);
    if (!url) return { rule: 'isUrl', msg: 'must be an http:// or https:// URL' };
    if (url.username !== '' || url.password !== '')
      return { rule: 'isUrl', msg: 'must not carry a user or a password' };
    if (url.href.length > HREF_LENGTH)
      return { rule: 'maxLength', msg: `must be at most ${HREF_LENGTH} characters once it is percent-encoded` };
    return undefined;
  },
  { type: 'string', format: 'uri', maxLength: URL_LENGTH },
  { bound: `At most ${figure(URL_LENGTH)} characters.` },
);
