import { fork } from 'node:child_process';
import { once } from 'node:events';
import { CONTENDERS } from '../contenders/index.js';

/** What a script of this folder tells, run in a process of its own. */
export async function told(script, args, execArgv = []) {
  const child = fork(new URL(script, import.meta.url), args.map(String), { execArgv });
  const [result] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [undefined])]);
  if (!result) throw new Error(`${script} ${args.join(' ')} failed`);
  return result;
}

/** One life cycle of so many tasks in a process of its own; throws where one was lost or handed out twice. */
export async function direct({ contender, url, tasks }) {
  const result = await told('child.js', [contender, url, tasks]);
  if (result.done !== tasks) throw new Error(`${contender}: ${JSON.stringify(result)}`);
  const { counts, left } = CONTENDERS[contender];
  const finished = left ? tasks - (await left(url)) : (await counts(url)).finished;
  if (finished !== tasks) throw new Error(`${contender} finished ${finished} of ${tasks}`);
  return result;
}
