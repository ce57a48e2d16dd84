import { Injectable } from '@nestjs/common';
import type { RunnerOptions } from '../client/worker/runner.options.js';
import type { TaskContext } from '../client/worker/session.js';
import type { Task } from '../contract/task.entity.js';

export interface TaskProcessorOptions extends Omit<RunnerOptions, 'log'> {
  /** Only tasks of this group. */
  group?: string;
  /** Name of the registration whose tasks it works on. @defaultValue 'default' */
  name?: string;
}

/** What the method with `@Process()` receives. */
export type ProcessContext<T extends Task = Task> = TaskContext<T>;

/** The values of a class's decorator. */
export interface ProcessorMetadata extends TaskProcessorOptions {
  service: string;
}

const PROCESSOR = Symbol('softdd:task-processor');
const METHODS = Symbol('softdd:task-process');

/**
 * A provider that works on the tasks of a service in this process, without HTTP: its method with `@Process()` handles
 * one task. It starts with the app, and is drained before the app stops.
 */
export const TaskProcessor =
  (service: string, options: TaskProcessorOptions = {}): ClassDecorator =>
  (target) => {
    Injectable()(target);
    Reflect.defineMetadata(PROCESSOR, { ...options, service } satisfies ProcessorMetadata, target);
  };

/**
 * The method that does the work. Its return value is the task's output. If it throws, the task is tried again;
 * UnrecoverableError and RetryLater change that.
 */
export const Process = (): MethodDecorator => (target, method) => {
  // Stored by name on the class, so that a subclass may override the method without another decorator.
  Reflect.defineMetadata(METHODS, [...new Set([...processMethods(target), method])], target);
};

/** The values of `@TaskProcessor()` on a class. undefined without the decorator. */
export const processorMetadata = (type: object): ProcessorMetadata | undefined => Reflect.getMetadata(PROCESSOR, type);

/** The decorated methods of a prototype or an instance. */
export const processMethods = (target: object): (string | symbol)[] => Reflect.getMetadata(METHODS, target) ?? [];
