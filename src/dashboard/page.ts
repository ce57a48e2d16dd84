import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type PageSettings, withSettings } from './page-settings.js';

/** A file of the page, as it is sent. */
export interface PageFile {
  body: Buffer;
  headers: Record<string, string>;
}

const zip = promisify(gzip);

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The page loads its own files alone, calls its own server alone, and stands in no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
};

/** The built page of one registration. Nothing is read before it is asked for. */
export class Page {
  private loaded: Promise<Readonly<Record<string, string>>> | undefined;
  private readonly zipped = new Map<string, Promise<Buffer>>();

  constructor(private readonly settings: PageSettings) {}

  /** The page itself. No cache keeps it, so that it never names files of another version. */
  async index(acceptEncoding = ''): Promise<PageFile> {
    const { 'index.html': html } = await this.files();
    return this.send('index.html', withSettings(html!, this.settings), 'no-store', acceptEncoding);
  }

  /** A file that the page loads. Its name has a hash of what is in it. undefined: there is none of this name. */
  async asset(name: string, acceptEncoding = ''): Promise<PageFile | undefined> {
    const files = await this.files();
    const path = `assets/${name}`;
    if (!Object.hasOwn(files, path)) return undefined;
    return this.send(path, files[path]!, 'public, max-age=31536000, immutable', acceptEncoding);
  }

  private async send(path: string, text: string, cache: string, acceptEncoding: string): Promise<PageFile> {
    const isZipped = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(acceptEncoding);
    const headers = {
      ...HEADERS,
      'Content-Type': TYPES[path.split('.').pop()!] ?? 'application/octet-stream',
      'Cache-Control': cache,
      Vary: 'Accept-Encoding',
    };
    if (!isZipped) return { body: Buffer.from(text), headers };
    if (!this.zipped.has(path)) this.zipped.set(path, zip(text));
    return { body: await this.zipped.get(path)!, headers: { ...headers, 'Content-Encoding': 'gzip' } };
  }

  private files(): Promise<Readonly<Record<string, string>>> {
    this.loaded ??= import('./page-files.js').then(({ FILES }) => FILES);
    return this.loaded;
  }
}
