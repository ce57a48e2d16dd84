import { createHmac } from 'node:crypto';
import type { RuleProblem } from '../../validation/rule.js';

/** The prefix of secrets in the Standard Webhooks specification. */
const PREFIX = 'whsec_';
/** The bytes of a secret that the specification allows. */
const BYTES = { min: 24, max: 64 } as const;

/** The bytes of each secret. There are several during a rotation. */
export const secretsOf = (secret: string | string[] | undefined): Buffer[] =>
  (secret === undefined ? [] : [secret].flat()).map((text) => Buffer.from(text.slice(PREFIX.length), 'base64'));

/** The headers of one try: a signature for each secret, so that receivers with either one accept it. */
export function signedHeaders(secrets: Buffer[], id: string, time: Date, body: string): Record<string, string> {
  const timestamp = String(Math.floor(time.getTime() / 1000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secrets.length === 0) return headers;
  const sign = (secret: Buffer): string =>
    `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  return { ...headers, 'webhook-signature': secrets.map(sign).join(' ') };
}

/** Rule for option `callbackSecret`. Its message never shows the secret. */
export function secretRule(value: unknown): RuleProblem | undefined {
  const secrets = [value].flat();
  return secrets.length > 0 && secrets.every(isSecret)
    ? undefined
    : {
        rule: 'callbackSecret',
        msg:
          `must be ${PREFIX} and the base64 of ${BYTES.min} to ${BYTES.max} random bytes, or a list of such; ` +
          `make one with: echo "${PREFIX}$(openssl rand -base64 32)"`,
      };
}

/** Strict, because other languages refuse base64 that Node accepts. */
function isSecret(value: unknown): boolean {
  if (typeof value !== 'string' || !value.startsWith(PREFIX)) return false;
  const text = value.slice(PREFIX.length);
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text && bytes.length >= BYTES.min && bytes.length <= BYTES.max;
}
