import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { RetryLater, TaskWorker, UnrecoverableError } from '../../../../src/client/index.js';
import { stackOf } from '../../../../src/client/errors.js';
import { failureOf, handlerProblem, outputText } from '../../../../src/client/worker/outcome.js';

const thrower = (name: string): object =>
  Object.defineProperty(new Error('x'), name, {
    get: () => {
      throw new Error(`no ${name}`);
    },
  });
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable(new Error('x'), {});
  revoke();
  return proxy;
};

describe('a handler', () => {
  it.each<[string, unknown, string]>([
    ['a generator function', function* () {}, 'is a generator function'],
    ['an async generator function', async function* () {}, 'is a generator function'],
    ['a bound one', async function* () {}.bind(null), 'is a generator function'],
    ['nothing', undefined, 'must be a function, not undefined'],
    ['null', null, 'must be a function, not null'],
  ])('is refused when it is given: %s', (_, handler, problem) => {
    expect(handlerProblem(handler)).toContain(problem);
    expect(() => new TaskWorker({ baseUrl: 'http://localhost', handler: handler as never })).toThrow(
      new TypeError(`handler ${handlerProblem(handler)}`),
    );
  });
});

describe('an output', () => {
  const generator = function* () {};
  it.each<[string, unknown, string]>([
    ['a generator', generator(), 'it is of type Generator'],
    ['an async generator', (async function* () {})(), 'it is of type AsyncGenerator'],
    // As compilers for old engines write them.
    ['an iterator by hand', { next: () => ({ done: true }), [Symbol.iterator]: () => [] }, 'it is a stream'],
    ['a stream', new PassThrough(), 'it is a stream'],
    ['a function', () => 'out', 'it is a function'],
    ['a symbol', Symbol('out'), 'it is a symbol'],
    ['a Map', new Map([[1, 2]]), 'it is of type Map'],
    ['an Error', new Error('x'), 'it is of type Error'],
    ['a promise within', { rows: [Promise.resolve(1)] }, '"0" is of type Promise'],
    ['a BigInt', 1n, 'BigInt'],
    ['a revoked Proxy', revoked(), 'revoked'],
  ])('that JSON would lose is a failure for good: %s', (_, output, reason) => {
    expect(() => outputText(output)).toThrow(UnrecoverableError);
    expect(() => outputText(output)).toThrow(reason);
  });

  it.each<[unknown, string | undefined]>([
    [undefined, undefined],
    [null, undefined],
    ['', ''],
    ['text', 'text'],
    [{}, '{}'],
    [{ at: new Date(0), gone: undefined, call: () => 1 }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [
      new (class Row {
        id = 1;
      })(),
      '{"id":1}',
    ],
    [Object.create(null), '{}'],
    [Object(7), '7'],
    [[1, [true]], '[1,[true]]'],
  ])('%p is %p', (output, text) => {
    expect(outputText(output)).toBe(text);
  });
});

describe('a failure', () => {
  it('says the message first, and where it was thrown below it', () => {
    const { error, retry } = failureOf(new RangeError('frame 7', { cause: new Error('disk full') }), true);
    expect(error.split('\n')[0]).toBe('RangeError: frame 7');
    expect(error).toMatch(/\n {4}at .*outcome\.test[^]*\ncaused by: Error: disk full\n {4}at /);
    expect(retry).toBe(true);
    expect(failureOf(new RangeError('frame 7'), false)).toEqual({ error: 'RangeError: frame 7', retry: true });
  });

  it('holds no more than 4 KB of a stack', () => {
    const deep = Object.assign(new Error('x'), { stack: `Error: x\n${'    at é\n'.repeat(5000)}` });
    expect(Buffer.byteLength(stackOf(deep))).toBeLessThanOrEqual(4096);
    expect(stackOf(deep)).not.toContain('\ufffd');
    expect(failureOf(Object.assign(new Error('m'.repeat(9000))), true).error.length).toBeLessThan(4000 + 4100);
  });

  it('that a handler means is its own words alone', () => {
    expect(failureOf(new UnrecoverableError('no codec'), true)).toEqual({ error: 'no codec', retry: false });
    expect(failureOf(new RetryLater(7, 'busy'), true)).toEqual({ error: 'busy', retry: true, delay: 7 });
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['a symbol', Symbol('why'), 'Symbol(why)'],
    ['an object', { message: 'why' }, '[object Object]'],
    ['an error whose message throws', thrower('message'), 'something without a text was thrown'],
    ['an error whose stack throws', thrower('stack'), 'x'],
    ['an error whose cause throws', thrower('cause'), 'x'],
    ['an error whose name throws', thrower('name'), 'something without a text was thrown'],
    ['a revoked Proxy', revoked(), 'something without a text was thrown'],
    [
      'a Proxy that throws whatever it is asked',
      new Proxy(new Error('x'), {
        get: () => {
          throw new Error('get');
        },
        getPrototypeOf: () => {
          throw new Error('prototype');
        },
      }),
      'something without a text was thrown',
    ],
  ])('may be anything: %s', (_, thrown, message) => {
    const { error, retry } = failureOf(thrown, true);
    expect([error.split('\n')[0], retry]).toEqual([message, true]);
  });

  it('whose causes go in a circle ends', () => {
    const error = new Error('x');
    error.cause = error;
    expect(failureOf(error, true).error).toMatch(/^x\n/);
  });
});
