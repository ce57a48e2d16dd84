import { hostname } from 'node:os';
import { Injectable, Logger } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { describe, stackOf } from '../client/errors.js';
import { Runner } from '../client/worker/runner.js';
import type { WorkerLog } from '../client/worker/worker-events.js';
import { InjectOwnTaskService, InjectTaskOptions } from '../contract/registration.js';
import type { Task } from '../contract/task.entity.js';
import type { TaskService } from '../service/task.service.js';
import type { ContractStructure } from '../contract/contract.options.js';
import { TaskOptionsError } from '../contract/options.error.js';
import { exploreProcessors, type FoundProcessor } from './processor.explorer.js';
import { ServiceSource } from './service.source.js';

/** The running processors of one registration in this process. */
@Injectable()
export class Processors<T extends Task = Task> {
  private runners: { runner: Runner<T>; ended: Promise<void> }[] = [];

  constructor(
    @InjectTaskOptions() private readonly options: ContractStructure,
    @InjectOwnTaskService() private readonly tasks: TaskService<T>,
    private readonly discovery: DiscoveryService,
  ) {}

  /** Starts the processors. Throws a TaskOptionsError if one of them cannot work. */
  start(registrations: string[]): void {
    const { name } = this.options;
    const { found, problems } = exploreProcessors<T>(this.discovery, name, registrations);
    if (problems.length > 0) throw new TaskOptionsError(name, problems);
    this.runners = found.map((processor) => {
      const logger = new Logger(processor.type);
      const runner = this.runnerOf(processor, logger);
      // It may be long before anything awaits this promise.
      const ended = runner
        .run()
        .catch((error: unknown) =>
          logger.error(`has stopped working: ${describe(error)}`, stackOf(error) || undefined),
        );
      return { runner, ended };
    });
  }

  /** Claims no more tasks, waits for the running ones, and gives the rest back. May be called several times. */
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
    // Successes are also visible as events of the queue, so they are only debug lines.
    logger[level === 'info' ? 'debug' : level](message);
  };
