import { IsArray, IsString, Matches } from 'class-validator';

const TOKEN = /^[\x21-\x7e]{16,}$/;

/** The options of operators: plain values, like all of `TaskValues`. */
export class OperatorValues {
  /** Bearer tokens that open the operator routes, each at least 16 characters. @defaultValue [] */
  @IsArray()
  @IsString({ each: true })
  @Matches(TOKEN, { each: true, message: 'each of operatorTokens must be at least 16 printable characters' })
  operatorTokens: string[] = [];

  /** Bearer tokens that open those operator routes that only read, each at least 16 characters. @defaultValue [] */
  @IsArray()
  @IsString({ each: true })
  @Matches(TOKEN, { each: true, message: 'each of operatorReadTokens must be at least 16 printable characters' })
  operatorReadTokens: string[] = [];
}

/** Whether somebody may operate the queue, so that it keeps what operators look at, and watches for what they change. */
export const isOperated = ({
  operatorTokens,
  operatorReadTokens,
  operatorGuards,
}: OperatorValues & { operatorGuards?: readonly unknown[] | undefined }): boolean =>
  operatorTokens.length > 0 || operatorReadTokens.length > 0 || operatorGuards !== undefined;
