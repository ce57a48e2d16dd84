import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Known bearer tokens. Digests have one length, so a comparison tells nothing of a token, its length included. */
export class BearerTokens {
  private readonly digests: Buffer[];

  constructor(tokens: readonly string[]) {
    this.digests = tokens.map(digest);
  }

  get exist(): boolean {
    return this.digests.length > 0;
  }

  /** Whether one of them is in this header. Every token is compared, even after one fits. */
  fit(authorization: string | undefined): boolean {
    const given = digest(tokenIn(authorization));
    return this.digests.reduce((found, known) => timingSafeEqual(known, given) || found, false);
  }
}

/** A name for the token in this header that does not tell the token. */
export const nameOfToken = (authorization: string | undefined): string =>
  `token ${digest(tokenIn(authorization)).toString('hex').slice(0, 8)}`;

const tokenIn = (authorization: string | undefined): string =>
  /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
