import { Logger } from '@nestjs/common';
import { type AnswerRoom, type AnswerSpace, ANSWERS, type Receiver } from '../../queue/answer-room.js';
import { ANSWERED_OTHERWISE } from '../../queue/use-cases/claim.js';
import type { HttpSettings } from '../http.options.js';

/** What a handler has made of a request, as it is sent: nobody changes it any more. */
export interface Answer {
  /** JSON, in bytes where they are many; or what a host's envelope is instead. */
  body: unknown;
  status: number;
}

/**
 * One request on a sealed route. A host's global interceptors run around our handlers as around its own: those that
 * look on (logs, traces, times) see what they always see. What they make of the answer doesn't reach the client: the
 * handler's own answer is kept here, and sent once they are done (see AnswerHook).
 */
export interface Exchange {
  /** The route only reads: its answer may be refused once it is made. */
  readsOnly?: boolean;
  /** The guards have let it in. */
  admitted?: boolean;
  /** The handler's answer, once it has been called. */
  run?: Promise<Answer> | undefined;
  /** How that ended. */
  outcome?: { answer: Answer } | { error: unknown };
  /** The client has been answered. */
  over?: boolean;
  /** Tells the handler that nobody waits for it. */
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

/** Called by the last of our guards: from now on the request is the handler's, and its answer has a place in the room. */
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

/** The options of the registration that has let the request in. */
export const optionsOf = (request: unknown): HttpSettings | undefined => (request as Holder)[OPTIONS];

/** The place of the request's answer among those under way. */
export const answerSpaceOf = (request: unknown): AnswerSpace | undefined => (request as Holder)[SPACE];

/** Runs a handler and keeps its answer, as it is at this moment. Answers what interceptors are shown. */
export function conduct(request: unknown, response: unknown, work: () => Promise<unknown>): Promise<unknown> {
  const exchange = exchangeOf(request) ?? begin(request);
  let shown: unknown;
  const run = work().then((value): Answer => {
    const { statusCode } = response as { statusCode: number };
    const body: unknown = typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : 0;
    const refusal = answerSpaceOf(request)?.send(bytes, !exchange.readsOnly);
    if (refusal) throw refusal;
    shown = value;
    return { body: bytes > ANSWERS.small ? Buffer.from(body as string) : body, status: statusCode };
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

/** The client has its answer, or will have: nothing else of it is kept. */
export function end(exchange: Exchange): void {
  exchange.over = true;
  exchange.run = undefined;
  if (exchange.outcome && 'answer' in exchange.outcome) exchange.outcome.answer.body = undefined;
}

/**
 * What is to be told of an exception that has reached our filter: undefined for nothing, since the handler has answered
 * and that stands, or since the client has its answer already.
 */
export function failureOf(request: unknown, exception: unknown): { error: unknown } | undefined {
  const exchange = exchangeOf(request);
  if (!exchange) return { error: exception };
  if (exchange.over) return undefined;
  const { outcome } = exchange;
  if (outcome && 'answer' in outcome) {
    new Logger('TaskModule').error(
      `An interceptor of the host's failed after the handler had answered; the answer stands: ${String(exception)}`,
    );
    return undefined;
  }
  exchange.over = true;
  // The handler may be at work still, and it works for nobody.
  exchange.gone?.abort(ANSWERED_OTHERWISE);
  return { error: outcome ? outcome.error : exception };
}
