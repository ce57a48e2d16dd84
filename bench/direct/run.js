import { fork } from 'node:child_process';
import { once } from 'node:events';
import { CONTENDERS } from '../contenders/index.js';

/** One life cycle of so many tasks in a process of its own; throws where one was lost or handed out twice. */
export async function direct({ contender, url, tasks }) {
  const child = fork(new URL('child.js', import.meta.url), [contender, url, String(tasks)]);
  const [result] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [{ failed: true }])]);
  if (result.failed || result.done !== tasks) throw new Error(`${contender}: ${JSON.stringify(result)}`);
  const { counts, left } = CONTENDERS[contender];
  const finished = left ? tasks - (await left(url)) : (await counts(url)).finished;
  if (finished !== tasks) throw new Error(`${contender} finished ${finished} of ${tasks}`);
  return result;
}
