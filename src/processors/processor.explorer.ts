import type { DiscoveryService } from '@nestjs/core';
import { handlerProblem } from '../client/worker/outcome.js';
import type { TaskHandler } from '../client/worker/runner.js';
import { checkRunner } from '../client/worker/runner.options.js';
import type { Task } from '../contract/task.entity.js';
import { nameRule } from '../validation/rules.js';
import type { OptionProblem } from '../contract/options.error.js';
import { processMethods, processorMetadata, type ProcessorMetadata } from './processor.decorator.js';

/** A processor of the app, ready to work. */
export interface FoundProcessor<T extends Task> {
  /** Name of its class. */
  type: string;
  metadata: ProcessorMetadata;
  handler: TaskHandler<T>;
}

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** The app's processors of one registration, and the problems of each. */
export function exploreProcessors<T extends Task>(
  discovery: DiscoveryService,
  registration: string,
  registrations: string[],
): { found: FoundProcessor<T>[]; problems: OptionProblem[] } {
  const found: FoundProcessor<T>[] = [];
  const problems: OptionProblem[] = [];
  for (const wrapper of candidates(discovery)) {
    const instance = wrapper.instance as Record<string | symbol, TaskHandler<T>>;
    const type = instance.constructor;
    const metadata = processorMetadata(type);
    const wrong = metadata
      ? problemsOf(wrapper, metadata, registrations)
      : ["has @Process(), but no @TaskProcessor('…')"];
    problems.push(...wrong.map((msg) => ({ option: type.name, msg })));
    if (!metadata || wrong.length > 0 || (metadata.name ?? 'default') !== registration) continue;
    const [method] = processMethods(instance);
    found.push({ type: type.name, metadata, handler: (context) => instance[method!]!(context) });
  }
  return { found, problems };
}

/** Each instance once, because a provider may have several tokens. */
function candidates(discovery: DiscoveryService): Iterable<Wrapper> {
  const decorated = discovery.getProviders().filter(({ instance }) => {
    const value = instance as unknown;
    if (typeof value !== 'object' || value === null || typeof value.constructor !== 'function') return false;
    return processorMetadata(value.constructor) !== undefined || processMethods(value).length > 0;
  });
  return new Map(decorated.map((wrapper) => [wrapper.instance as unknown, wrapper])).values();
}

function problemsOf(wrapper: Wrapper, metadata: ProcessorMetadata, registrations: string[]): string[] {
  const { service, group, name = 'default' } = metadata;
  const instance = wrapper.instance as Record<string | symbol, unknown>;
  const [method, ...others] = processMethods(instance);
  const methods = method === undefined ? 0 : 1 + others.length;
  const problems: string[] = [];
  if (methods !== 1)
    problems.push(`has ${methods === 0 ? 'no method' : `${methods} methods`} with @Process(); it needs exactly one`);
  const problem = methods === 1 && handlerProblem(instance[method!]);
  if (problem) problems.push(`${String(method)}() with @Process() ${problem}`);
  if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient)
    problems.push(
      'has a scope other than the default; a processor and everything that it injects must have the default scope',
    );
  if (!registrations.includes(name))
    problems.push(
      `names registration '${name}', which does not exist; the registrations are '${registrations.join("', '")}'`,
    );
  for (const [option, value] of Object.entries({ service, group })) {
    const problem = option === 'group' && value === undefined ? undefined : nameRule(value);
    if (problem) problems.push(`${option} ${problem.msg}`);
  }
  try {
    checkRunner(metadata);
  } catch (error) {
    problems.push((error as Error).message);
  }
  return problems;
}
