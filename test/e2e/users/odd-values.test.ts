import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timeOf } from '../../../src/validation/rules.js';
import type { Answer } from '../../support/http.js';
import { type Host, PLACES, startHost } from '../../support/host.js';

/** JSON texts of values that JavaScript, an engine, or a calendar takes for something else. */
const ODD = [
  ...['-0', '1e400', '-1e400', '1e308', '1e-7', '0.1', '2147483648', '-2147483649', '32768', '-32769', '1e3'],
  ...[
    '9007199254740991',
    '9007199254740993',
    '12345678901234567890',
    'true',
    '[]',
    '{}',
    '[[[[1]]]]',
    '{"toString":1}',
  ],
  ...[
    'nul\0',
    '\ud800',
    '\udfff\ud800',
    '\ufeff',
    '\uffff',
    '\u202e',
    '\x1a',
    ' ',
    "'",
    '\\',
    '%',
    '$1',
    ':a',
    '?',
  ].map((text) => JSON.stringify(text)),
  ...['__proto__', 'constructor', 'null', 'NaN', 'Infinity', '-0', '+7', '007', '1e3', '0x10', '١٢'].map((text) =>
    JSON.stringify(text),
  ),
];
/** Times, and the instant that they name: undefined for those that no calendar has. */
const TIMES: [string, string | undefined][] = [
  ['2027-02-28T10:00:00Z', '2027-02-28T10:00:00.000Z'],
  ['2027-02-30T10:00:00Z', undefined],
  ['2027-02-29T10:00:00Z', undefined],
  ['2028-02-29T10:00:00Z', '2028-02-29T10:00:00.000Z'],
  ['2027-04-31T10:00:00Z', undefined],
  ['2027-13-01T10:00:00Z', undefined],
  ['2027-00-10T10:00:00Z', undefined],
  ['2027-01-00T10:00:00Z', undefined],
  ['2027-01-01T24:00:00Z', undefined],
  ['2027-01-01T23:59:60Z', undefined],
  ['2027-01-01T23:60:00Z', undefined],
  ['2027-01-01T23:59:59.999999999+14:00', '2027-01-01T09:59:59.999Z'],
  ['2027-01-01T00:00:00-12:00', '2027-01-01T12:00:00.000Z'],
  ['2027-01-01T00:00:00+24:00', undefined],
  ['2027-01-01T00:00:00+01:60', undefined],
  ['0000-01-01T00:00:00Z', undefined],
  ['1969-12-31T23:59:59Z', undefined],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ['9999-12-30T23:59:59Z', '9999-12-30T23:59:59.000Z'],
  ['9999-12-31T23:59:59-12:00', undefined],
  ['-004713-01-01T00:00:00Z', undefined],
  ['+010000-01-01T00:00:00Z', undefined],
  ['2027-01-01T00:00:00', undefined],
];
const CURSOR_TIMES = [
  ...[
    '0000-01-01 00:00:00',
    '0000-00-00 00:00:00',
    '0001-01-01 00:00:00',
    '0100-01-01 00:00:00',
    '9999-12-31 23:59:59.999999',
  ],
  ...['2026-02-30 00:00:00', '2026-01-01 24:00:00', '2026-01-01 23:59:60', '2026-01-01 00:00:00.1234567', 'infinity'],
  ...['-infinity', 'now', '10000-01-01 00:00:00', '2026-01-01 00:00:00 BC', '2026-01-01 00:00:00+99', '2026-01-01'],
  ...["2026-01-01 00:00:00'", null, 7, true, [], {}, ['2026-01-01 00:00:00']],
];
const IDS = ['a', '', ' ', '\0', 'x'.repeat(37), 'é', "'", null, 7, {}, ['a']];

it('times are those of the calendar, and no others', () => {
  for (const [text, instant] of TIMES) expect([text, timeOf(text)?.toISOString()]).toEqual([text, instant]);
});

describe.each(PLACES)('values that are odd on $engine with $adapter', (where) => {
  let host: Host;
  let taskId: string;
  let held: string;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { callbackAllow: ['https://example.com'] } });
    ({ taskId } = await host.tasks.create({ userId: 'alice', input: 'in' }));
    ({ taskId: held } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10, service: 'held' }));
    await host.tasks.claim({ taskId: held, legacy: true });
  });
  afterAll(() => host?.close());

  /** Nothing is our fault: each answer is the envelope of what worked, or of what was wrong with the request. */
  async function judged(asked: [string, Promise<Answer>][]): Promise<void> {
    for (const [what, promise] of asked) {
      const { status, body } = await promise;
      expect([what, status < 500, [0, 1].includes(body?.status)]).toEqual([what, true, true]);
    }
  }
  const send = (method: string, path: string, raw: string): Promise<Answer> => {
    const options = { raw, headers: { 'content-type': 'application/json' } };
    return path.startsWith('/api/cron')
      ? host.worker(method, path, options)
      : host.user('alice', method, path, options);
  };

  it.each<[string, string[], string]>([
    ['POST /api/tasks', ['input', 'args', 'service', 'group', 'status'], '"input":"in",'],
    ['POST /api/tasks', ['priority', 'runAt', 'maxAttempts', 'callbackUrl', 'note'], '"input":"in",'],
    ['PUT /api/tasks/{id}', ['input', 'args', 'status'], ''],
    ['DELETE /api/tasks', ['ids'], ''],
    ['POST /api/crontask', ['service', 'group', 'taskId', 'lease', 'limit', 'workerId'], '"service":"none",'],
    ['PUT /api/crontask/{held}', ['progress', 'temp', 'output', 'error', 'lease', 'delay', 'retry', 'leaseToken'], ''],
    ['PUT /api/crontask', ['reports'], ''],
  ])('%s takes or refuses them in %j', async (route, fields, rest) => {
    const [method = '', path = ''] = route.replace('{id}', taskId).replace('{held}', held).split(' ');
    for (const field of fields)
      await judged(
        ODD.map((value) => [
          `${field} ${value}`,
          send(
            method,
            path,
            `{${rest.replace(`"${field}":"none",`, '').replace(`"${field}":"in",`, '')}"${field}":${value}}`,
          ),
        ]),
      );
  });

  it('keeps what it takes as it was said', async () => {
    for (const value of ODD) {
      const { status, body } = await send('POST', '/api/tasks', `{"input":${value},"args":${value}}`);
      const said: unknown = JSON.parse(value);
      if (typeof said === 'object') {
        expect([value, status]).toEqual([value, 400]);
        continue;
      }
      // A number is taken as its text, as the original did; not where it has lost digits on its way.
      const [kept, exact] = [String(said), typeof said === 'string' || Math.abs(Number(said)) <= 2 ** 53 - 1];
      if (status === 200) expect([value, body.data.input, body.data.args, exact]).toEqual([value, kept, kept, true]);
      else expect([value, status]).toEqual([value, 400]);
    }
    for (const [runAt, instant] of TIMES) {
      const { status, body } = await send('POST', '/api/tasks', JSON.stringify({ input: 'in', runAt }));
      expect([runAt, status, status === 200 ? body.data.runAt : undefined]).toEqual([
        runAt,
        instant ? 200 : 400,
        instant,
      ]);
    }
  });

  it('lists by any cursor, id and filter, or refuses it', async () => {
    const cursors = [
      ...CURSOR_TIMES.map((time) => [time, 'a']),
      ...IDS.map((id) => ['2026-01-01 00:00:00', id]),
      7,
      null,
    ];
    const list = (query: Record<string, string>) => host.user('alice', 'GET', '/api/tasks', { query });
    await judged(
      cursors.map((cursor) => [
        `cursor ${JSON.stringify(cursor)}`,
        list({ cursor: Buffer.from(JSON.stringify(cursor)).toString('base64url') }),
      ]),
    );
    for (const field of ['service', 'group', 'status', 'page', 'pageNum', 'ids', 'cursor'])
      await judged(
        ODD.map((value) => {
          const said: unknown = JSON.parse(value);
          return [`${field} ${value}`, list({ [field]: typeof said === 'string' ? said : value })];
        }),
      );
  });

  it('takes any id in a path for that of no task', async () => {
    const ids = IDS.map((id) => (typeof id === 'string' ? id : JSON.stringify(id))).filter((id) => id !== '');
    await judged(
      ids.flatMap((id): [string, Promise<Answer>][] => [
        [id, host.user('alice', 'GET', `/api/tasks/${encodeURIComponent(id)}`)],
        [id, send('PUT', `/api/tasks/${encodeURIComponent(id)}`, '{"args":"x"}')],
        [id, send('PUT', `/api/crontask/${encodeURIComponent(id)}`, '{"temp":"x"}')],
        [id, send('DELETE', '/api/tasks', JSON.stringify({ ids: [id] }))],
        [id, send('PUT', '/api/crontask', JSON.stringify({ reports: [{ taskId: id }] }))],
        [id, send('POST', '/api/crontask', JSON.stringify({ taskId: id }))],
      ]),
    );
  });
});
