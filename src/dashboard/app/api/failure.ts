import { TaskApiError } from '../../../client/errors.js';

/** A failed request, as the page shows it. */
export interface Failure {
  /** `gone`: there is no server, or it says that it is away. `refused`: nobody is signed in. */
  kind: 'gone' | 'refused' | 'error';
  message: string;
  /** The code of the error catalogue. 0: the answer did not come from the queue. */
  code: number;
  httpStatus: number;
}

/** 430 is the queue's own. The others are those of a guard or a proxy of the host. */
const REFUSED = [401, 403, 430];
/** No answer, or a proxy or a server that says: later. */
const GONE = [0, 502, 503, 504];

export function failureOf(error: unknown): Failure {
  if (!(error instanceof TaskApiError)) return { kind: 'error', message: String(error), code: 0, httpStatus: 0 };
  const { httpStatus, code, message } = error;
  const kind = GONE.includes(httpStatus) ? 'gone' : isRefused(error) ? 'refused' : 'error';
  // The client puts the request before the server's words. A reader of the page has not sent it by hand.
  return { kind, message: message.replace(/^(GET|POST|PUT|DELETE) \S+: (HTTP \d+: )?/, ''), code, httpStatus };
}

/** TOO_MANY_TASK is a 403 of the queue, too. */
const isRefused = ({ httpStatus, code }: TaskApiError): boolean =>
  REFUSED.includes(httpStatus) && !(httpStatus === 403 && code !== 0);
