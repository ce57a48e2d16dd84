import { Inject } from '@nestjs/common';

/** The resolved options of the registration to which a provider belongs. */
export const TASK_OPTIONS = Symbol('TASK_OPTIONS');
export const InjectTaskOptions = (): ParameterDecorator & PropertyDecorator => Inject(TASK_OPTIONS);

/** The room that the registration's answers share. */
export const ANSWER_ROOMS = Symbol('ANSWER_ROOMS');
export const InjectAnswerRooms = (): ParameterDecorator & PropertyDecorator => Inject(ANSWER_ROOMS);

/**
 * The service of the registration to which a controller belongs. `TaskService` itself is only the default
 * registration's.
 */
export const TASK_SERVICE = Symbol('TASK_SERVICE');
export const InjectOwnTaskService = (): ParameterDecorator & PropertyDecorator => Inject(TASK_SERVICE);
