import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Names of a database's processes. Nothing else may use that database meanwhile: its processes are not told apart. */
const PROGRAMS = { sqlite: [], mysql: ['mariadbd', 'mysqld'], postgres: ['postgres'], redis: ['redis-server'] };

const isLinux = process.platform === 'linux';
const tick = isLinux ? 1e6 / Number(execFileSync('getconf', ['CLK_TCK'])) : NaN;

/**
 * Microseconds of processor time that each group of processes has used since it began, user and system, those of its
 * ended children included; in steps of 10 ms. From /proc, so on Linux only: NaN elsewhere.
 * `groups`: a name -> process ids, or the kind of a database.
 */
export function cpuTimes(groups) {
  return Object.fromEntries(
    Object.entries(groups).map(([name, group]) => {
      const pids = typeof group === 'string' ? pidsOf(PROGRAMS[group]) : group;
      return [name, isLinux ? pids.reduce((sum, pid) => sum + timeOf(pid), 0) : NaN];
    }),
  );
}

/** Microseconds a task of each group between two readings. */
export const perTask = (before, after, tasks) =>
  Object.fromEntries(Object.keys(before).map((name) => [name, (after[name] - before[name]) / tasks]));

function timeOf(pid) {
  // The name of the program may hold blanks and parentheses, so the fields are counted after it.
  const fields = read(pid, 'stat').split(') ').at(-1).split(' ');
  const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map(Number);
  return (user + system + endedUser + endedSystem) * tick;
}

function pidsOf(programs) {
  if (!isLinux || programs.length === 0) return [];
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && programs.includes(read(name, 'comm').trim()));
}

/** The time of a process that has ended is that of its parent's children. */
const ENDED = { comm: '', stat: ') '.padEnd(40, '0 ') };

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ENDED[file];
  }
}
