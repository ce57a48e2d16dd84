import { randomBytes, randomUUID } from 'node:crypto';

/**
 * Legacy workers know no token, so a report without a token counts for a legacy claim. The token has this prefix
 * because the distinction must last as long as the token is on the row, and the token outlives the lease.
 */
const LEGACY = 'legacy-';

/** A token that nobody can guess, at most 36 characters long. */
export const newToken = (legacy = false): string => (legacy ? LEGACY + randomBytes(14).toString('hex') : randomUUID());

/** Whether reports must carry the token of the last claim. False for a legacy claim and for a task never claimed. */
export const isFenced = (token: string | null): boolean => token !== null && !token.startsWith(LEGACY);
