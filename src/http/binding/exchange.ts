import { Logger } from '@nestjs/common';
import { type AnswerRoom, type AnswerSpace, ANSWERS, type Receiver } from '../../queue/answer-room.js';
import type { Subscription } from '../../live/subscription.js';
import { ANSWERED_OTHERWISE } from '../../queue/use-cases/claim.js';
import type { HttpSettings } from '../http.options.js';
import { PlainText } from './plain-text.js';

/** The answer of a handler, ready to be sent. Nothing changes it any more. */
export interface Answer {
  /** JSON, as bytes if it is large. If a host's envelope is no object, this value itself. */
  body: unknown;
  status: number;
  /** undefined: JSON. */
  contentType?: string;
}

/**
 * One request on a sealed route. The host's global interceptors run around our handlers as around its own, so that
 * logs, traces and timers work. Their changes to the answer do not reach the client: the answer of the handler is
 * kept here, and sent when they have finished (see AnswerHook).
 */
export interface Exchange {
  /** The route only reads, so its answer can still be refused when it is ready. */
  readsOnly?: boolean;
  /** The guards have accepted the request. */
  admitted?: boolean;
  /** The handler's answer. Absent until the handler is called. */
  run?: Promise<Answer> | undefined;
  /** What the handler answers is a stream of events. */
  subscription?: Subscription;
  /** The result of `run`. */
  outcome?: { answer: Answer } | { error: unknown };
  /** The client has been answered. */
  over?: boolean;
  /** Tells the handler that nobody waits for its answer. */
  gone?: AbortController;
}

const EXCHANGE = Symbol('softdd.task.exchange');
const OPTIONS = Symbol('softdd.task.options');
const SPACE = Symbol('softdd.task.space');
type Holder = { [EXCHANGE]?: Exchange; [OPTIONS]?: HttpSettings; [SPACE]?: AnswerSpace };

export const exchangeOf = (request: unknown): Exchange | undefined => (request as Holder)[EXCHANGE];

export function begin(request: unknown, readsOnly = false): Exchange {
  const exchange: Exchange = { readsOnly };
  (request as Holder)[EXCHANGE] = exchange;
  return exchange;
}

/** The last guard calls this: the request goes on to the handler, and the room reserves space for its answer. */
export function admit(
  request: unknown,
  response: { raw?: unknown },
  options: HttpSettings,
  room: AnswerRoom,
  owner: string,
): true {
  const holder = request as Holder;
  holder[OPTIONS] = options;
  // Fastify wraps Node's response; Express's is Node's own.
  holder[SPACE] = room.open(owner, (response.raw ?? response) as Receiver);
  const exchange = exchangeOf(request);
  if (exchange) exchange.admitted = true;
  return true;
}

/** The options of the registration whose guard has accepted the request. */
export const optionsOf = (request: unknown): HttpSettings | undefined => (request as Holder)[OPTIONS];

/** The space of the request's answer in the room. */
export const answerSpaceOf = (request: unknown): AnswerSpace | undefined => (request as Holder)[SPACE];

/** Runs a handler and keeps its answer as JSON. Returns the value that interceptors see. */
export function conduct(request: unknown, response: unknown, work: () => Promise<unknown>): Promise<unknown> {
  const exchange = exchangeOf(request) ?? begin(request);
  let shown: unknown;
  const run = work().then((value): Answer => {
    const { statusCode } = response as { statusCode: number };
    shown = value;
    if (exchange.subscription) return { body: exchange.subscription, status: statusCode };
    const { text, ...plain } = value instanceof PlainText ? value : {};
    const body: unknown = text ?? (typeof value === 'object' && value !== null ? JSON.stringify(value) : value);
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : 0;
    const refusal = answerSpaceOf(request)?.send(bytes, !exchange.readsOnly);
    if (refusal) throw refusal;
    return { body: bytes > ANSWERS.small ? Buffer.from(body as string) : body, status: statusCode, ...plain };
  });
  exchange.run = run;
  return run.then(
    (answer) => {
      exchange.outcome = { answer };
      return shown;
    },
    (error: unknown) => {
      exchange.outcome = { error };
      throw error;
    },
  );
}

/** Returns what interceptors are shown. Their changes to it do not reach the client, which gets the stream. */
export function noteSubscription(request: unknown, subscription: Subscription): object {
  const exchange = exchangeOf(request);
  if (exchange) exchange.subscription = subscription;
  return { watches: subscription.filter };
}

/** The answer is sent, or is being sent. Drops everything else that is kept for the request. */
export function end(exchange: Exchange): void {
  exchange.over = true;
  exchange.run = undefined;
  if (exchange.outcome && 'answer' in exchange.outcome) exchange.outcome.answer.body = undefined;
}

/**
 * The error to answer when an exception has reached our filter. Undefined if the handler has answered successfully,
 * because its answer counts, or if the client already has an answer.
 */
export function failureOf(request: unknown, exception: unknown): { error: unknown } | undefined {
  const exchange = exchangeOf(request);
  if (!exchange) return { error: exception };
  if (exchange.over) return undefined;
  const { outcome } = exchange;
  if (outcome && 'answer' in outcome) {
    new Logger('TaskModule').error(
      `An interceptor of the host failed after the handler had answered; the client gets the answer: ${String(exception)}`,
    );
    return undefined;
  }
  exchange.over = true;
  // The handler may still be running, although nobody gets its answer.
  exchange.gone?.abort(ANSWERED_OTHERWISE);
  return { error: outcome ? outcome.error : exception };
}
