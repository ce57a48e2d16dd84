import { describe, isA, RetryLater, stackOf, UnrecoverableError } from '../errors.js';

/** A handler's failure as a report states it. */
export interface Failure {
  error: string;
  retry: boolean;
  /** Seconds. */
  delay?: number;
  /** Seconds. */
  pauseService?: number;
}

/** The most seconds until the next attempt: one year. */
const LONGEST_DELAY = 31_536_000;
/** The most seconds for which a worker may pause a service. */
const LONGEST_PAUSE = 86_400;
/** Characters of an error's message. */
const MESSAGE_CHARS = 4000;

/** What is wrong with a handler. undefined if nothing is. */
export function handlerProblem(handler: unknown): string | undefined {
  if (typeof handler !== 'function') return `must be a function, not ${handler === null ? 'null' : typeof handler}`;
  if (!Object.prototype.toString.call(handler).includes('GeneratorFunction')) return undefined;
  return 'is a generator function (function*) and its body would never run; pass an async function that returns the output';
}

/** The output as a text. undefined if there is none. Throws an UnrecoverableError if JSON cannot hold it. */
export function outputText(output: unknown): string | undefined {
  if (output === undefined || output === null) return undefined;
  if (typeof output === 'string') return output;
  let text: string | undefined;
  try {
    text = JSON.stringify(output, refuseLoss);
  } catch (cause) {
    // Another attempt would give the same output.
    throw new UnrecoverableError(`the output is no JSON: ${describe(cause)}`, { cause });
  }
  if (text === undefined) throw new UnrecoverableError(`the output is no JSON: it is a ${typeof output}`);
  return text;
}

/** Refuses what JSON silently writes as `{}`: a generator, a stream, a promise or a Map. */
function refuseLoss(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const type = Object.prototype.toString.call(value).slice('[object '.length, -1);
  const runs = Symbol.asyncIterator in value || (Symbol.iterator in value && 'next' in value);
  const isLost = !['Object', 'Array', 'Arguments', 'Number', 'String', 'Boolean'].includes(type);
  if (runs || (isLost && Object.keys(value).length === 0))
    throw new TypeError(
      `${key === '' ? 'it' : JSON.stringify(key)} is ${type === 'Object' ? 'a stream' : `of type ${type}`}`,
    );
  return value;
}

/** Whether the handler threw the error on purpose. Such an error also counts during a shutdown. */
export const isMeant = (error: unknown): boolean => isA(error, UnrecoverableError) || isA(error, RetryLater);

/**
 * The report of a thrown value of any kind: the message, and if `traceback` is set, the place below it. For
 * UnrecoverableError and RetryLater only the handler's own words.
 */
export function failureOf(error: unknown, traceback: boolean): Failure {
  const message = describe(error).replace(/^(Error|UnrecoverableError|RetryLater): /, '');
  if (isMeant(error)) {
    const text = errorText(message);
    if (!isA(error, RetryLater)) return { error: text, retry: false };
    const { seconds, pauseService: pause } = error;
    return {
      error: text,
      retry: true,
      delay: Math.min(Math.ceil(seconds), LONGEST_DELAY),
      ...(pause === undefined ? {} : { pauseService: Math.min(Math.max(Math.ceil(pause), 1), LONGEST_PAUSE) }),
    };
  }
  return { error: errorText(message, traceback ? stackOf(error) : ''), retry: true };
}

/** The text in a form that every database accepts. */
export const errorText = (message: string, stack = ''): string =>
  [message.slice(0, MESSAGE_CHARS), stack]
    .filter((part) => part !== '')
    .join('\n')
    .replaceAll('\0', '')
    .toWellFormed();
