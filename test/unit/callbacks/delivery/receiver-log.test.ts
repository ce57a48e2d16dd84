import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ReceiverLog } from '../../../../src/callbacks/delivery/receiver-log.js';
import type { TakenCallback } from '../../../../src/callbacks/callback.rows.js';

const MINUTE = 60_000;
const callback = { id: 'id', taskId: 'task', origin: 'http://a', attempts: 1 } as TakenCallback;

describe('a receiver that fails', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('is told of once in ten minutes, also where it began to fail anew within them', () => {
    const lines: string[] = [];
    for (const level of ['warn', 'log'] as const)
      jest.spyOn(Logger.prototype, level).mockImplementation((line) => void lines.push(`${level}: ${String(line)}`));
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const health = new ReceiverLog(new Logger('test'));
    const at = (minutes: number, next: 'delivered' | number): string[] => {
      now = minutes * MINUTE;
      lines.length = 0;
      health.tell(callback, next, { time: '', status: next === 'delivered' ? 200 : 500, durationMs: 1 });
      return [...lines];
    };
    const FAILS = ['warn: callbacks to http://a fail, and are tried again: HTTP 500'];
    const WORKS = ['log: callbacks to http://a are delivered again'];
    expect(at(0, 5)).toEqual(FAILS);
    expect(at(1, 5)).toEqual([]);
    expect(at(2, 'delivered')).toEqual(WORKS);
    expect(at(3, 5)).toEqual([]);
    expect(at(9, 5)).toEqual([]);
    expect(at(11, 5)).toEqual(FAILS);
    expect(at(60, 5)).toEqual([]);
    expect(at(61, 'delivered')).toEqual(WORKS);
    expect(at(62, 5)).toEqual([...FAILS]);
    // Neither of these is told of: it comes and goes.
    expect(at(63, 'delivered')).toEqual(WORKS);
    expect(at(64, 5)).toEqual([]);
    expect(at(65, 'delivered')).toEqual([]);
  });
});
