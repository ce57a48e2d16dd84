import { Inject } from '@nestjs/common';

/** The resolved options of the registration that a provider belongs to. */
export const TASK_OPTIONS = Symbol('TASK_OPTIONS');
export const InjectTaskOptions = (): ParameterDecorator & PropertyDecorator => Inject(TASK_OPTIONS);

/** The service of the registration that a controller belongs to: `TaskService` itself is the default one's alone. */
export const TASK_SERVICE = Symbol('TASK_SERVICE');
export const InjectOwnTaskService = (): ParameterDecorator & PropertyDecorator => Inject(TASK_SERVICE);
