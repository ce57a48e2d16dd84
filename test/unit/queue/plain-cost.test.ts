import { describe, expect, it } from '@jest/globals';
import { type Host, PLACES } from '../../support/host.js';
import { expectAlike, measured } from '../flow/fixtures/measured.js';

const COUNT = 300;
const OPTIONS = { schedules: true };
const task = { input: 'x', service: 'free', runAt: '2040-01-01T00:00:00Z' };
const alice = { userId: 'alice' };

/** As many tasks that wait, made in each way. */
const WAYS: Record<string, (host: Host) => Promise<unknown>> = {
  unique: ({ tasks }) =>
    tasks.createMany(Array.from({ length: COUNT }, (_, n) => ({ ...task, ...alice, unique: { key: `${n}` } }))),
  'of a batch': ({ tasks }) => tasks.batches.create({ tasks: Array.from({ length: COUNT }, () => task) }, alice),
};

describe.each(PLACES)('plain tasks on $engine', (where) => {
  it.each(Object.keys(WAYS))('cost the same beside tasks that are %s, and in a process with schedules', async (way) => {
    const plain = await measured(where, false, {
      options: {},
      prepare: ({ tasks }) => tasks.createMany(Array.from({ length: COUNT }, () => ({ ...task, ...alice }))),
    });
    const beside = await measured(where, false, { options: OPTIONS, prepare: WAYS[way]! });
    expectAlike(plain, beside);
    expect(plain.texts.filter((text) => /tasks_(keys|batch|schedules)|unique_\w+ = /.test(text))).toEqual([]);
    expect(plain.texts.length).toBeGreaterThan(20);
  });
});
