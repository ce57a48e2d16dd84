import { randomBytes, randomUUID } from 'node:crypto';

/**
 * A claim of the original's form is answered by workers that know no token: a report without one counts. The form is
 * part of the token, because it matters for as long as the token stays on the row, which outlives the lease.
 */
const LEGACY = 'legacy-';

/** A token that nobody can guess, of at most 36 characters. */
export const newToken = (legacy = false): string => (legacy ? LEGACY + randomBytes(14).toString('hex') : randomUUID());

/** Whether the task's last claim demanded its token: false for the original's form, and where there was no claim. */
export const isFenced = (token: string | null): boolean => token !== null && !token.startsWith(LEGACY);
