import { signal } from '@preact/signals';
import { stored } from './stored.js';

/** `unknown`: the first answer is not there yet. */
export type SignedIn = 'unknown' | 'no' | 'yes';

/** The operator's token, in this tab alone. Empty: none, and the host's cookie may do. */
export const token = stored<string>('token', '', 'tab');
export const signedIn = signal<SignedIn>('unknown');
/** What the operator may do, as the overview says. */
export const access = signal<'all' | 'read'>('read');
export const mayChange = (): boolean => access.value === 'all';

export function signOut(): void {
  token.value = '';
  signedIn.value = 'no';
}
