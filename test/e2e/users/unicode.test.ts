import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BODY_KINDS, dataOf, INPUT_KINDS, said } from '../../support/answers.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

const TEXTS: [string, string][] = [
  ['emoji', '😀👩‍👩‍👧‍👦🏳️‍🌈🇨🇳👍🏽'],
  ['rare Han and mathematical letters', '𠮷𡈽 𝒳𝔸'],
  ['the last code point', '\u{10ffff}\u{1f9ff}'],
  ['combining marks', 'e\u0301 \u00e9 \u0041\u030a \u212b \u1e9b\u0323 \uac01 \u1100\u1161\u11a8'],
  ['right to left, and marks of direction', 'שלום مرحبا \u202eabc\u202c\u200f'],
  ['what looks like nothing', '\u200b\u200d\u2060\u00ad\ufeff'],
  ['a byte order mark first', '\ufeffin'],
  ['noncharacters', '\uffff\ufffe\ufdd0\ufffd'],
  ['separators and controls', 'a\u2028b\u2029c\u0001\u001f\u007f\u0085d\te'],
  ['spaces at both ends', ' \u3000in\u00a0 '],
  ['what SQL and shells take for more', `'";-- \\' \\0 %s $1 ? :p {{x}} \`\``],
  ['Chinese', '视频转码：完成'],
];

describe.each(BATTERY)('Unicode on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  it.each(TEXTS)('keeps %s exactly, in every text, name and owner', async (_, text) => {
    const json = { input: text, args: text, service: text, status: 10 };
    const { taskId } = dataOf(await host.user(text, 'POST', '/api/tasks', { json }));
    const query = { service: text };
    const [seen] = dataOf(await host.user(text, 'GET', '/api/tasks', { query })).list;
    expect(seen).toMatchObject({ taskId, ...json });
    const claimed = dataOf(await host.worker('GET', '/api/crontask', { query })).task;
    expect(claimed).toMatchObject({ ...json, taskId, status: 20 });
    const report = { json: { temp: text, output: text } };
    const reported = dataOf(await host.worker('PUT', `/api/crontask/${taskId}`, report)).task;
    expect(reported).toMatchObject({ temp: text, output: text });
    const stored = { userId: text, input: text, args: text, service: text, temp: text, output: text };
    expect(await host.tasks.get(taskId)).toMatchObject(stored);
  });

  it.each(TEXTS)('takes %s from every body type and the query alike', async (_, text) => {
    for (const kind of INPUT_KINDS) {
      const fields = { input: text, args: text, service: text };
      expect(dataOf(await host.user('alice', 'POST', '/api/tasks', said(kind, fields)))).toMatchObject(fields);
    }
  });

  it.each(['json', 'form', 'query'] as const)('keeps the ends of lines in %s', async (kind) => {
    const input = 'a\nb\r\nc\rd\n\n';
    expect(dataOf(await host.user('alice', 'POST', '/api/tasks', said(kind, { input }))).input).toBe(input);
  });

  it.each(BODY_KINDS)('keeps composed and decomposed letters apart in an update by %s', async (kind) => {
    const { taskId } = await host.tasks.create({ userId: 'alice', input: '\u00e9' });
    const answer = await host.user('alice', 'PUT', `/api/tasks/${taskId}`, said(kind, { input: 'e\u0301' }));
    expect(dataOf(answer).input).toBe('e\u0301');
  });

  it('takes services and groups for different that differ in a byte', async () => {
    const names = ['kind', 'KIND', 'kind ', ' kind', 'kínd', 'ki\u0301nd', 'ｋind', 'kind\t', 'kin_', 'kin%'];
    const ids = new Map<string, string>();
    for (const name of names) {
      const task = { userId: 'bob', input: name, service: name, group: name, status: 10 };
      ids.set(name, (await host.tasks.create(task)).taskId);
    }
    for (const name of [...names].reverse()) {
      const { list } = dataOf(await host.user('bob', 'GET', '/api/tasks', { query: { service: name } }));
      expect(list.map((task: { input: string }) => task.input)).toEqual([name]);
      const query = { service: name, group: name };
      expect(dataOf(await host.worker('GET', '/api/crontask', { query })).task.taskId).toBe(ids.get(name));
      expect(dataOf(await host.worker('GET', '/api/crontask', { query }))).toEqual([]);
    }
  });
});
