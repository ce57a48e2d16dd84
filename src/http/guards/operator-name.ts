import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

const OPERATOR = Symbol('softdd.task.operator');

/** What the guard has found out about an operator. */
interface OperatorNote {
  name: string | undefined;
  access: 'all' | 'read';
}
type Holder = { [OPERATOR]?: OperatorNote };

/** Called by the guard. */
export const noteOperator = (request: object, note: OperatorNote): void => {
  (request as Holder)[OPERATOR] = note;
};

const noteOf = (context: ExecutionContext): OperatorNote | undefined =>
  context.switchToHttp().getRequest<Holder>()[OPERATOR];

/** Who the operator is, for the record: the user whom the host's guards found, or a name for the token. */
export const OperatorName = createParamDecorator((_: unknown, context: ExecutionContext) => noteOf(context)?.name);

/** What the operator may do. */
export const OperatorAccessOf = createParamDecorator(
  (_: unknown, context: ExecutionContext) => noteOf(context)?.access,
);
