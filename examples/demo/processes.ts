import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

/** Servers and workers of the demo, each a process of its own; they end with it. */
export class Processes {
  private readonly children = new Set<ChildProcess>();
  private fail: (error: Error) => void = () => undefined;
  /** Rejects where one can't be started: Python isn't there, say. */
  readonly failed = new Promise<never>((_, fail) => (this.fail = fail));

  constructor(
    private readonly folder: string,
    private readonly environment: Record<string, string>,
  ) {}

  /** A file of the build, or what an interpreter runs. */
  start(command: string, [file, ...args]: string[], environment: Record<string, string> = {}): ChildProcess {
    const child = spawn(command, [resolve(root, file!), ...args], {
      cwd: this.folder,
      env: { ...process.env, ...this.environment, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.children.add(child);
    child.once('close', () => this.children.delete(child));
    child.once('error', ({ message }) => this.fail(new Error(`the demo needs ${command}: ${message}`)));
    return child;
  }

  /** Ends it, and waits until it has. */
  async stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (this.children.has(child) && child.kill(signal)) await once(child, 'close');
  }

  async stopAll(): Promise<void> {
    // Those that were started last, the workers, first: they have something to say to the server.
    for (const child of [...this.children].reverse()) await this.stop(child, 'SIGTERM');
  }
}

/** What the output says first of this form; rejects where the process ends before. */
export const saidBy = (child: ChildProcess, form: RegExp): Promise<string> =>
  new Promise((found, failed) => {
    let output = '';
    // Read to the end: who isn't listened to stops.
    child.stdout!.on('data', (chunk) => {
      output += String(chunk);
      const [, said] = form.exec(output) ?? [];
      if (said !== undefined) found(said);
    });
    child.once('close', () => failed(new Error(`a process of the demo ended:\n${output}`)));
  });
