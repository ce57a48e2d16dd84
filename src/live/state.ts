import { createHash } from 'node:crypto';

/** What differs between two states of a task. The row may have been changed by any process, or by plain SQL. */
export interface TaskState {
  status: number;
  progress: number;
  attempts: number;
  updatedAt: Date | null;
  leaseExpiresAt: Date | null;
}

/** The state as a text. The entity and the row of the same state give the same text, in every process. */
export const stateOf = ({ status, progress, attempts, updatedAt, leaseExpiresAt }: TaskState): string =>
  [status, progress, attempts, updatedAt?.getTime(), leaseExpiresAt?.getTime()].join(' ');

/** Sums of fingerprints stay exact integers. */
const MODULUS = 2 ** 48;

/**
 * What a client knows: for each task the fingerprint of the state that it was sent. The sum of them names all of it, so
 * that a client that comes back with this sum needs no snapshot if the database gives the same sum.
 */
export class Known {
  private readonly prints = new Map<string, number>();
  private total = 0;

  get size(): number {
    return this.prints.size;
  }

  /** The sum, in hexadecimal. */
  get sum(): string {
    return this.total.toString(16);
  }

  ids(): IterableIterator<string> {
    return this.prints.keys();
  }

  set(taskId: string, state: string): void {
    this.delete(taskId);
    const print = fingerprint(`${taskId} ${state}`);
    this.prints.set(taskId, print);
    this.total = (this.total + print) % MODULUS;
  }

  /** Returns whether it was known. */
  delete(taskId: string): boolean {
    const print = this.prints.get(taskId);
    if (print !== undefined) this.total = (this.total - print + MODULUS) % MODULUS;
    return this.prints.delete(taskId);
  }
}

/** 48 bits of a digest. */
export const fingerprint = (text: string): number => createHash('sha256').update(text).digest().readUIntBE(0, 6);
