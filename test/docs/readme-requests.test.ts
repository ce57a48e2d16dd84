import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { read } from '../support/documents.js';
import { call } from '../support/http.js';
import { type RunningServer, startServer } from '../support/server.js';
import { until } from '../support/until.js';

/** A comment, the method and the path, and the body. */
const REQUEST = /^# .+\n(POST|PUT) (\S+)\n(\{[^]+?\})(?=\n\n|\n```)/gm;

describe.each(['README.md', 'README.zh-CN.md'])('the requests in %s', (file) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.stop());

  it('are taken by the standalone server as they stand', async () => {
    const requests = [...read(file).matchAll(REQUEST)];
    expect(requests).toHaveLength(3);
    const [, token] = await until('the token', () => /^user token +(\S+)\s/im.exec(server.output()));
    for (const [, method, path, body] of requests) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await call(method!, server.url + path!, { headers, json: JSON.parse(body!) });
      expect([path, answer.status, answer.body.status]).toEqual([path, 200, 1]);
    }
  });
});
