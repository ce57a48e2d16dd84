import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

const OPERATOR = Symbol('softdd.task.operator');

type Holder = { [OPERATOR]?: string | undefined };

/** Called by the guard. */
export const noteOperator = (request: object, name: string | undefined): void => {
  (request as Holder)[OPERATOR] = name;
};

/** Who the operator is, for the record: the user whom the host's guards found, or a name for the token. */
export const OperatorName = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<Holder>()[OPERATOR],
);
