import type { Type } from '@nestjs/common';
import type { FieldProblem } from '../../contract/errors.js';
import { invalid } from '../../validation/invalid.js';
import { nearestOf } from '../../validation/nearest.js';
import type { Input } from '../../validation/body-problems.js';
import { ReportTaskDto } from '../dto/report-task.dto.js';
import { ReportTasksDto } from '../dto/report-tasks.dto.js';
import { InputList, MAX_PROBLEMS, OVERWRITTEN } from './input.js';
import { dtoFields } from './input.pipe.js';
import { OverriddenInput } from './method-override.js';

/** A header of the answer. It names unknown parameters, which were ignored. */
const IGNORED_HEADER = 'X-Task-Ignored';
/** Longer names are cut to this number of characters. */
const MAX_NAME = 64;
/** Parameters that also have a header, or only a header. */
const ELSEWHERE = ['leaseToken', 'idempotencyKey', 'credential', 'lastEventId', 'traceparent'];

interface Replying {
  header(name: string, value: string): unknown;
}

/** Tells a client about unknown fields. With the option `strictFields` it refuses them. */
export class UnknownFields {
  private readonly fields = new Map<unknown, ReadonlySet<string>>();

  check(value: unknown, metatype: unknown, response: unknown, strict: boolean): void {
    if (value instanceof OverriddenInput) {
      this.check(value.input, value.override.metatype, response, strict);
      return;
    }
    const known = this.fieldsOf(metatype);
    // The type declares no fields: the host reads them itself.
    if (known.size === 0 || typeof value !== 'object' || value === null) return;
    if (!(value instanceof InputList) && metatype !== ReportTasksDto && isKnown(value as Input, known)) return;
    const inputs: [place: string, input: Input][] =
      value instanceof InputList
        ? (value as Input[]).map((input, index) => [`[${index}].`, input])
        : [['', value as Input]];
    if (strict) refuse(inputs.flatMap(([place, input]) => problemsOf(input, known, place)));
    const names = inputs.flatMap(([, input]) => unknownIn(input, known));
    if (metatype === ReportTasksDto) names.push(...this.ofReports((value as Input).reports));
    if (names.length > 0) (response as Replying).header(IGNORED_HEADER, headerOf(names));
  }

  private ofReports(reports: unknown): string[] {
    if (!Array.isArray(reports)) return [];
    const isObject = (report: unknown): report is Input =>
      typeof report === 'object' && report !== null && !Array.isArray(report);
    return reports
      .filter(isObject)
      .flatMap((report) => (isKnown(report, REPORT_FIELDS) ? [] : unknownIn(report, REPORT_FIELDS)));
  }

  private fieldsOf(metatype: unknown): ReadonlySet<string> {
    let fields = this.fields.get(metatype);
    if (!fields) {
      fields = new Set(typeof metatype === 'function' ? dtoFields(metatype as Type) : []);
      this.fields.set(metatype, fields);
    }
    return fields;
  }
}

/** Throws INVALID_PARAM if one of several reports has unknown fields. */
export function checkReportFields(report: object): void {
  if (!isKnown(report as Input, REPORT_FIELDS)) refuse(problemsOf(report as Input, REPORT_FIELDS, ''));
}

/**
 * The same for a task inside another body. It has no headers, so what a header may hold is unknown, too. `beside` are
 * the parameters that stand beside those of the task, and have been read.
 */
export function checkTaskFields(task: object, metatype: Type, place: string, beside: readonly string[]): void {
  const known = innerFields(metatype);
  if (!isKnown(task as Input, known)) refuse(problemsOf(task as Input, new Set([...known, ...beside]), place, []));
}

function innerFields(metatype: Type): ReadonlySet<string> {
  let fields = INNER.get(metatype);
  if (!fields) INNER.set(metatype, (fields = new Set(dtoFields(metatype).filter((name) => !ELSEWHERE.includes(name)))));
  return fields;
}
/** Asked of class-validator once for each class: that takes longer than the rest of a task's check. */
const INNER = new WeakMap<Type, ReadonlySet<string>>();

/** What one of several reports may have. */
const REPORT_FIELDS: ReadonlySet<string> = new Set(['taskId', ...dtoFields(ReportTaskDto)]);

/** The same without a list of names, because nearly all inputs have none. */
function isKnown(input: Input, known: ReadonlySet<string>): boolean {
  if (OVERWRITTEN in input) return false;
  for (const name in input) if (!known.has(name)) return false;
  return true;
}

function unknownIn(input: Input, known: ReadonlySet<string>, elsewhere = ELSEWHERE): string[] {
  const { [OVERWRITTEN]: overwritten = [] } = input as { [OVERWRITTEN]?: string[] };
  const names = Object.keys(input).filter((name) => !known.has(name) && !elsewhere.includes(name));
  return [...names, ...overwritten];
}

function problemsOf(input: Input, known: ReadonlySet<string>, place: string, elsewhere = ELSEWHERE): FieldProblem[] {
  const takes = [...known].filter((name) => !['idempotencyKey', 'credential', 'traceparent'].includes(name));
  return unknownIn(input, known, elsewhere)
    .slice(0, MAX_PROBLEMS)
    .map((given) => {
      const name = given.slice(0, MAX_NAME);
      const meant = nearestOf(name, takes);
      const remedy =
        name === 'idempotencyKey' && place === ''
          ? 'send it as the header Idempotency-Key'
          : meant
            ? `did you mean ${meant}?`
            : `leave it out; the parameters are ${takes.join(', ')}`;
      return { field: place + name, rule: 'unknown', msg: `${place}${name} is no parameter of this route; ${remedy}` };
    });
}

function refuse(problems: FieldProblem[]): void {
  if (problems.length > 0) throw invalid(problems.slice(0, MAX_PROBLEMS));
}

/** Each name once, and not more than a header can hold. */
const headerOf = (names: string[]): string =>
  [...new Set(names.map((name) => name.slice(0, MAX_NAME).replaceAll(/[^\w.[\]-]/g, '_')))]
    .slice(0, MAX_PROBLEMS)
    .join(', ');
