import { hostname } from 'node:os';
import { Injectable, Logger } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { describe } from '../client/errors.js';
import { Runner } from '../client/runner.js';
import type { WorkerLog } from '../client/worker-events.js';
import { InjectOwnTaskService, InjectTaskOptions } from '../contract/registration.js';
import type { Task } from '../contract/task.entity.js';
import type { TaskService } from '../core/task.service.js';
import { type ResolvedTaskOptions, TaskOptionsError } from '../task.options.js';
import { exploreProcessors, type FoundProcessor } from './processor.explorer.js';
import { ServiceSource } from './service.source.js';

/** The processors of one registration, at work in this process. */
@Injectable()
export class Processors<T extends Task = Task> {
  private runners: { runner: Runner<T>; ended: Promise<void> }[] = [];

  constructor(
    @InjectTaskOptions() private readonly options: ResolvedTaskOptions,
    @InjectOwnTaskService() private readonly tasks: TaskService<T>,
    private readonly discovery: DiscoveryService,
  ) {}

  /** Starts those that are found; throws a TaskOptionsError where one can't work. */
  start(registrations: string[]): void {
    const { name } = this.options;
    const { found, problems } = exploreProcessors<T>(this.discovery, name, registrations);
    if (problems.length > 0) throw new TaskOptionsError(name, problems);
    this.runners = found.map((processor) => {
      const logger = new Logger(processor.type);
      const runner = this.runnerOf(processor, logger);
      // It may be long until anybody waits for the end.
      const ended = runner.run().catch((error: unknown) => logger.error(`works no more: ${describe(error)}`));
      return { runner, ended };
    });
  }

  /** Claims no more, waits for what is at work, and gives the rest back. May be called several times. */
  async close(): Promise<void> {
    await Promise.all(this.runners.map(({ runner }) => runner.close()));
    await Promise.all(this.runners.map(({ ended }) => ended));
  }

  private runnerOf({ type, metadata, handler }: FoundProcessor<T>, logger: Logger): Runner<T> {
    const { service, group, ...options } = metadata;
    const { lease = 60 } = options;
    const workerId = `${type.slice(0, 20)}@${hostname().slice(0, 32)}:${process.pid}`;
    const source = new ServiceSource(this.tasks, { service, group, lease, workerId });
    return new Runner(source, handler, { ...options, log: logTo(logger) });
  }
}

const logTo =
  (logger: Logger): WorkerLog =>
  (level, message) => {
    // What goes well is told by the queue's events.
    logger[level === 'info' ? 'debug' : level](message);
  };
