import { posix } from 'node:path';
import type { StatusCodes } from '../protocol/status.js';

/** What the page must be told, because it is built once and served under any path. All addresses are relative to it. */
export interface PageSettings {
  /** The name of the registration. */
  name: string;
  /** Where the routes for operators, users and workers are. */
  operator: string;
  tasks: string;
  claims: string;
  /** The host's integers of the roles of a status. */
  status: StatusCodes;
}

/** The address `to`, as seen from a page whose files lie in the folder `page`. Both are paths of one server. */
export const relativeAddress = (page: string, to: string): string => posix.relative(page || '/', to);

/** The page with its settings: in a `<meta>`, because the policy of the page allows no inline script. */
export const withSettings = (html: string, settings: PageSettings): string =>
  html.replace('%SETTINGS%', () => escape(JSON.stringify(settings)));

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
