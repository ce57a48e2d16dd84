import type { Type } from '@nestjs/common';
import { RequestMethod } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import { getMetadataArgsStorage } from 'typeorm';
import { errorProblems } from '../contract/errors.js';
import { TaskResponse } from '../contract/response.js';
import { statusProblems } from '../contract/status.js';
import { Task } from '../contract/task.entity.js';
import { TASK_COLUMNS } from '../contract/task.fields.js';
import { NEST } from '../http/binding/nest-internals.js';
import { dtoFields } from '../http/request/input.pipe.js';
import { AUDIENCES } from '../http/binding/audiences.js';
import { isServed, pathOf } from '../http/binding/route-definition.js';
import { ROUTES } from '../http/binding/route-table.js';
import { type OptionProblem, TaskOptionsError } from '../contract/options.error.js';
import { isOperated } from '../operator/operator.options.js';
import type { ResolvedTaskOptions, TaskStructure } from './task.options.js';
import type { TaskValues } from './task.values.js';
import { OPTIONAL_URIS, TaskUris } from '../http/http.options.js';

/** Throws a TaskOptionsError that lists every problem of the options that shape a registration. */
export function checkStructure(structure: TaskStructure): void {
  const problems = [
    ...classProblems(structure),
    ...uriProblems(structure),
    ...statusProblems(structure.status).map((msg) => ({ option: 'status', msg })),
    ...errorProblems(structure.error).map((msg) => ({ option: 'error', msg })),
    ...tableProblems(structure),
    ...dtoProblems(structure),
    ...responseProblems(structure),
  ];
  if (problems.length > 0) throw new TaskOptionsError(structure.name, problems);
}

/** Routes of schedules that no process would ever look at. */
export const scheduleProblems = (
  { scheduleUri }: TaskStructure,
  schedules: TaskValues['schedules'],
): OptionProblem[] =>
  scheduleUri === 'off' || schedules !== false
    ? []
    : [{ option: 'scheduleUri', msg: "needs option `schedules`; set `schedules: true`, or scheduleUri: 'off'" }];

/** Throws if the registrations of one app conflict with each other. */
export function checkTogether(structure: TaskStructure, others: TaskStructure[]): void {
  const problems: OptionProblem[] = [];
  for (const other of others) {
    if (other.name === structure.name)
      problems.push({ option: 'name', msg: `two registrations are called '${other.name}'; rename one of them` });
    if (tableOf(other) === tableOf(structure) && other.dataSource === structure.dataSource)
      problems.push({
        option: 'table',
        msg: `registration '${other.name}' also uses table ${tableOf(other)}; give one of them another \`table\``,
      });
    const taken = new Set(endpoints(other).map(({ endpoint }) => endpoint));
    for (const { uri, endpoint } of endpoints(structure))
      if (taken.has(endpoint))
        problems.push({
          option: uri,
          msg: `registration '${other.name}' also serves ${endpoint}; give one of them another URI`,
        });
  }
  if (problems.length > 0) throw new TaskOptionsError(structure.name, problems);
}

/** URIs that begin with the app's global prefix: the prefix would be there twice, which is hardly intended. */
export function prefixProblem(structure: ResolvedTaskOptions, app: ApplicationConfig): string | undefined {
  const prefix = app.getGlobalPrefix().replaceAll(/^\/+|\/+$/g, '');
  if (prefix === '') return undefined;
  const { exclude = [] } = app.getGlobalPrefixOptions();
  const doubled = (Object.keys(new TaskUris()) as (keyof TaskUris)[]).filter((name) => {
    if (name === 'operatorUri' && !isOperated(structure)) return false;
    const uri = structure[name];
    return `${uri}/`.startsWith(`/${prefix}/`) && !exclude.some(({ pathRegex }) => pathRegex.test(uri));
  });
  if (doubled.length === 0) return undefined;
  const [first] = doubled;
  const without = structure[first!].slice(prefix.length + 1) || '/';
  return (
    `is served at /${prefix}${structure[first!]}, because the app's global prefix '${prefix}' is put before every URI; ` +
    `set ${doubled.join(', ')} without it (${first}: '${without}'), or exclude these routes from the prefix`
  );
}

/** The table's name, from the option or from the entity's decorator. */
const tableOf = ({ table, entity }: TaskStructure): string =>
  table ?? getMetadataArgsStorage().filterTables(entity)[0]?.name ?? entity.name;

function classProblems(structure: TaskStructure): OptionProblem[] {
  const controllers = Object.values(AUDIENCES).map(({ controller, base }) => [controller, base] as const);
  const required: (readonly [option: keyof TaskStructure, base: Type])[] = [
    ['entity', Task],
    ...controllers,
    ['response', TaskResponse],
  ];
  const problems = required
    .filter(([option, base]) => !extendsClass(structure[option], base))
    .map(([option, base]) => ({
      option,
      msg: `${nameOf(structure[option])} does not extend ${base.name}; declare it as \`class … extends ${base.name}\``,
    }));
  for (const [option] of controllers) {
    const path: unknown = Reflect.getMetadata(NEST.path, structure[option]);
    if (path !== undefined && path !== '/' && path !== '')
      problems.push({
        option,
        msg: `${nameOf(structure[option])} has its own path ${JSON.stringify(path)}; remove it from @Controller() and set the URIs by options`,
      });
  }
  return problems;
}

const extendsClass = (value: unknown, base: Type): boolean =>
  typeof value === 'function' && (value === base || value.prototype instanceof base);

const nameOf = (value: unknown): string => (typeof value === 'function' ? value.name : JSON.stringify(value));

function uriProblems(structure: TaskStructure): OptionProblem[] {
  const problems: OptionProblem[] = [];
  for (const { uri } of ROUTES) {
    const value: unknown = structure[uri];
    if (value === 'off' && OPTIONAL_URIS.includes(uri)) continue;
    const wantsId = new TaskUris()[uri].includes('{taskId}');
    if (typeof value !== 'string' || !/^(\/[\w.~{}-]+)+$/.test(value))
      problems.push({ option: uri, msg: `must be a path such as /api/tasks, not ${JSON.stringify(value)}` });
    else if (wantsId !== value.includes('{taskId}'))
      problems.push({ option: uri, msg: `must ${wantsId ? '' : 'not '}contain {taskId}; it is ${value}` });
  }
  const seen = new Map<string, string>();
  for (const { uri, endpoint } of endpoints(structure)) {
    const other = seen.get(endpoint);
    if (other && other !== uri)
      problems.push({ option: uri, msg: `${endpoint} is already ${other}; use another path` });
    seen.set(endpoint, uri);
  }
  return unique(problems);
}

/** Method and path of each route, without the names of its parameters. */
const endpoints = (structure: TaskStructure): { uri: string; endpoint: string }[] =>
  ROUTES.filter((route) => isServed(route, structure)).map((route) => ({
    uri: route.uri,
    endpoint: `${RequestMethod[route.method]} ${pathOf(route, structure).replaceAll(/\{\w+\}/g, '{}')}`,
  }));

function tableProblems(structure: TaskStructure): OptionProblem[] {
  // A class that does not extend ours is reported by another check.
  const table = extendsClass(structure.entity, Task) ? tableOf(structure) : 'tasks';
  // Triggers and indexes are named after it, and their names may have at most 63 characters.
  if (/^[A-Za-z_]\w{0,47}$/.test(table)) return [];
  return [{ option: 'table', msg: `must be at most 48 letters, digits and underscores, not ${JSON.stringify(table)}` }];
}

/** The OpenAPI document is read off what it returns, so it must take any data. */
function responseProblems({ response }: TaskStructure): OptionProblem[] {
  if (!extendsClass(response, TaskResponse)) return [];
  try {
    const envelope = new response();
    envelope.success({});
    envelope.failure({ code: 0, msg: '' });
    return [];
  } catch (error) {
    return [{ option: 'response', msg: `${response.name} fails on plain data: ${(error as Error).message}` }];
  }
}

/** Fields that users may send must not reach the queue's own columns. */
function dtoProblems({ dto }: TaskStructure): OptionProblem[] {
  if (dto === undefined) return [];
  const fields = dtoFields(dto);
  if (fields.length === 0)
    return [
      { option: 'dto', msg: `${dto.name} has no property with a class-validator decorator: nothing would be accepted` },
    ];
  return fields
    .filter((field) => ['_method', 'idempotencyKey'].includes(field) || TASK_COLUMNS.includes(field))
    .map((field) => ({ option: 'dto', msg: `${dto.name}.${field} is a column of the queue; rename your column` }));
}

const unique = (problems: OptionProblem[]): OptionProblem[] => [
  ...new Map(problems.map((problem) => [`${problem.option} ${problem.msg}`, problem])).values(),
];
