import { Inject } from '@nestjs/common';

/** The resolved options of the registration that a provider belongs to. */
export const TASK_OPTIONS = Symbol('TASK_OPTIONS');
export const InjectTaskOptions = (): ParameterDecorator & PropertyDecorator => Inject(TASK_OPTIONS);
