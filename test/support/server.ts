import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from './build.js';

export interface RunningServer {
  process: ChildProcess;
  url: string;
  /** Working directory: `.env` and the data folder are there. */
  folder: string;
  output(): string;
  /** Sends a signal and waits for the end; answers the exit code, or the signal that killed it. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'softdd-task-server-'));

/** Starts the built standalone server as `npm start` does, as a process of its own; rejects with its output if it ends first. */
export async function startServer(
  environment: Record<string, string> = {},
  folder = newFolder(),
): Promise<RunningServer> {
  const child = spawn(process.execPath, [built('main.js')], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', ...environment },
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise<number | NodeJS.Signals>((end) =>
    child.once('close', (code, signal) => end(signal ?? code ?? -1)),
  );
  const url = await new Promise<string>((found, failed) => {
    child.stdout.on('data', () => {
      const [, address] = /listening on (http:\/\/[^\s,"]+)/.exec(output) ?? [];
      if (address) found(address);
    });
    void ended.then((code) => failed(new Error(`the server ended (${code}):\n${output}`)));
  });
  return {
    process: child,
    url,
    folder,
    output: () => output,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

/** A process that has ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end, in a folder and an environment of its own. */
export const run = (
  file: string,
  args: string[] = [],
  environment: Record<string, string> = {},
  folder = newFolder(),
  seconds = 120,
): Promise<Ended> =>
  new Promise((ended) => {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
    execFile(file, args, { cwd: folder, env, timeout: seconds * 1000 }, (error, stdout, stderr) =>
      ended({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });

/** Runs a file of the build, such as `main.js`, to its end. */
export const runBuilt = (
  path: string,
  args: string[] = [],
  environment: Record<string, string> = {},
  folder = newFolder(),
): Promise<Ended> => run(process.execPath, [built(path), ...args], { PORT: '0', ...environment }, folder);
