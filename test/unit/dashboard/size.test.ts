import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { built } from '../../support/build.js';

/** Bytes of all of the page, as a browser loads it. */
const MOST = 150_000;

describe('the built page', () => {
  it('is small, and the same in both worlds', async () => {
    const { FILES } = (await import(built('dashboard/page-files.js'))) as { FILES: Record<string, string> };
    const other = (await import(built('../cjs/dashboard/page-files.js'))) as unknown as {
      default: { FILES: Record<string, string> };
    };
    expect(Object.keys(FILES)).toContain('index.html');
    expect(other.default.FILES).toEqual(FILES);
    const size = Object.values(FILES).reduce((sum, text) => sum + gzipSync(text).length, 0);
    process.stdout.write(`the page has ${size} bytes gzipped\n`);
    expect(size).toBeGreaterThan(10_000);
    expect(size).toBeLessThanOrEqual(MOST);
  });

  it('has no script and no style in its HTML, and no address that is absolute', async () => {
    const { FILES } = (await import(built('dashboard/page-files.js'))) as { FILES: Record<string, string> };
    const html = FILES['index.html']!;
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)/);
    expect([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address!.slice(0, 9))).toEqual(
      Array(3).fill('./assets/'),
    );
    expect(html).toContain('%SETTINGS%');
  });
});
