import { OperatorClient } from '../../../client/operator-client.js';
import { Transport } from '../../../client/transport.js';
import { SETTINGS } from './settings.js';
import { token } from './session.js';

const transport = (bearer: () => string, timeout: number): Transport =>
  new Transport({
    baseUrl: SETTINGS.operator,
    timeout,
    // The page repeats by itself, and says so.
    retries: 0,
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      if (bearer() !== '') headers.set('authorization', `Bearer ${bearer()}`);
      return fetch(input, { ...init, headers });
    },
  });

/** The routes for operators, with the token of this tab. */
export const operator = new OperatorClient(
  transport(() => token.value, 20),
  '',
  SETTINGS.status.CANCELLED!,
);

/** The same with a token that is still to be tried. */
export const operatorWith = (bearer: string): OperatorClient =>
  new OperatorClient(
    transport(() => bearer, 20),
    '',
    SETTINGS.status.CANCELLED!,
  );
