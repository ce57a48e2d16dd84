import { type Failure, failureOf } from './failure.js';
import { toast } from '../components/toast.js';
import { t } from '../words/index.js';

/**
 * Sends a change, and says in a toast what became of it. Resolves with the answer, or undefined if it failed: nothing is
 * repeated by itself, because the server may have done it.
 */
export async function act<T>(send: () => Promise<T>, done?: (answer: T) => string): Promise<T | undefined> {
  try {
    const answer = await send();
    if (done) toast(done(answer));
    return answer;
  } catch (error) {
    toast(textOf(failureOf(error)), 'bad');
    return undefined;
  }
}

/** A failure in words, with the code of the catalogue. */
export const textOf = ({ kind, message, code, httpStatus }: Failure): string => {
  if (kind === 'gone') return t('error.gone', { message });
  return code === 0 ? t('error.http', { message, status: httpStatus }) : t('error.code', { message, code });
};
