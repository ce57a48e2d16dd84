import { useState } from 'preact/hooks';
import { operator } from '../../api/client.js';
import { failureOf } from '../../api/failure.js';
import { usePoll } from '../../api/use-poll.js';
import { type Usual, usualOf } from './troubles.js';

const HOUR = 3_600_000;
/** Milliseconds for which it is believed. */
const KEPT = 5 * 60_000;
/** Where it cannot be read, what is wrong is shown all the same. */
const UNKNOWN: Usual = { failures: 0, waitMs: null };

/**
 * What is usual of these services: from the day before the last hour. One is read after the other, and again after 5
 * min. `time`: of the server.
 */
export function useUsual(services: readonly string[], time: string): ReadonlyMap<string, Usual> {
  const [known, setKnown] = useState<ReadonlyMap<string, { usual: Usual; at: number }>>(new Map());
  const now = Date.parse(time);
  const next = services.find((service) => now - (known.get(service)?.at ?? -Infinity) > KEPT);
  const load = async (signal: AbortSignal): Promise<void> => {
    const usual = await read(next!, now - HOUR, signal);
    if (!signal.aborted) setKnown((old) => new Map(old).set(next!, { usual, at: now }));
  };
  usePoll(`usual ${next}`, next === undefined ? undefined : load, KEPT);
  return new Map([...known].map(([service, { usual }]) => [service, usual]));
}

async function read(service: string, to: number, signal: AbortSignal): Promise<Usual> {
  // Those that are not told apart have no series of their own.
  if (service === '') return UNKNOWN;
  const query = { service, from: new Date(to - 24 * HOUR).toISOString(), to: new Date(to).toISOString(), step: 3600 };
  try {
    return usualOf(await operator.stats(query, { signal }));
  } catch (error) {
    if (['gone', 'refused'].includes(failureOf(error).kind)) throw error;
    return UNKNOWN;
  }
}
