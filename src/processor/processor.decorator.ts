import { Injectable } from '@nestjs/common';
import type { RunnerOptions } from '../client/runner.js';
import type { TaskContext } from '../client/session.js';
import type { Task } from '../contract/task.entity.js';

export interface TaskProcessorOptions extends Omit<RunnerOptions, 'log'> {
  /** Tasks of this group only. */
  group?: string;
  /** Name of the registration whose tasks it works. @defaultValue 'default' */
  name?: string;
}

/** What the method with `@Process()` is given. */
export type ProcessContext<T extends Task = Task> = TaskContext<T>;

/** What a class says of itself. */
export interface ProcessorMetadata extends TaskProcessorOptions {
  service: string;
}

const PROCESSOR = Symbol('softdd:task-processor');
const METHODS = Symbol('softdd:task-process');

/**
 * A provider that works the tasks of a service in this process, without HTTP: its method with `@Process()` does one.
 * Started with the app, and drained before it stops.
 */
export const TaskProcessor =
  (service: string, options: TaskProcessorOptions = {}): ClassDecorator =>
  (target) => {
    Injectable()(target);
    Reflect.defineMetadata(PROCESSOR, { ...options, service } satisfies ProcessorMetadata, target);
  };

/**
 * The method that does the work: what it returns is the task's output, what it throws a failure that is tried again;
 * UnrecoverableError and RetryLater say otherwise.
 */
export const Process = (): MethodDecorator => (target, method) => {
  // By name, on the class: a subclass may override the method without decorating it again.
  Reflect.defineMetadata(METHODS, [...new Set([...processMethods(target), method])], target);
};

/** What `@TaskProcessor()` says of a class; undefined where there is none. */
export const processorMetadata = (type: object): ProcessorMetadata | undefined => Reflect.getMetadata(PROCESSOR, type);

/** The methods that are decorated, of a prototype or an instance. */
export const processMethods = (target: object): (string | symbol)[] => Reflect.getMetadata(METHODS, target) ?? [];
