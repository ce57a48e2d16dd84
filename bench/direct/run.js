import { fork } from 'node:child_process';
import { CONTENDERS } from '../contenders/index.js';
import { cpuTimes, perTask } from '../cpu-time.js';

/** What a script of this folder tells in the end, run in a process of its own. `marked`: called on the way. */
export async function told(script, args, { execArgv = [], marked = () => undefined } = {}) {
  const child = fork(new URL(script, import.meta.url), args.map(String), { execArgv });
  const result = await new Promise((resolve) => {
    child.on('message', (message) => {
      if (!message.mark) return resolve(message);
      marked(message.mark, child.pid);
      child.send('go on');
    });
    child.once('exit', () => resolve(undefined));
  });
  if (!result) throw new Error(`${script} ${args.join(' ')} failed`);
  return result;
}

/**
 * One life cycle of so many tasks in a process of its own, with the processor time of a task; throws where one was lost
 * or handed out twice. `kind`: of the database.
 */
export async function direct({ contender, kind, url, tasks }) {
  const marks = {};
  const marked = (mark, pid) => (marks[mark] = cpuTimes({ node: [pid], database: kind }));
  const result = await told('child.js', [contender, url, tasks], { marked });
  if (result.done !== tasks) throw new Error(`${contender}: ${JSON.stringify(result)}`);
  const { counts, left } = CONTENDERS[contender];
  const finished = left ? tasks - (await left(url)) : (await counts(url)).finished;
  if (finished !== tasks) throw new Error(`${contender} finished ${finished} of ${tasks}`);
  return { ...result, cpu: perTask(marks.begin, marks.end, tasks) };
}
