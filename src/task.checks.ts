import type { Type } from '@nestjs/common';
import { RequestMethod } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { getMetadataArgsStorage } from 'typeorm';
import { errorProblems } from './contract/errors.js';
import { TaskResponse } from './contract/response.js';
import { statusProblems } from './contract/status.js';
import { Task, TASK_COLUMNS } from './contract/task.entity.js';
import { dtoFields } from './http/input.pipe.js';
import { CronTaskController } from './http/cron-task.controller.js';
import { ROUTES } from './http/route-table.js';
import { TaskController } from './http/task.controller.js';
import { type OptionProblem, TaskOptionsError, type TaskStructure, TaskUris } from './task.options.js';

/** Throws a TaskOptionsError that lists everything that is wrong with what shapes a registration. */
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

/** Throws where registrations of one app get in each other's way. */
export function checkTogether(structure: TaskStructure, others: TaskStructure[]): void {
  const problems: OptionProblem[] = [];
  for (const other of others) {
    if (other.name === structure.name)
      problems.push({ option: 'name', msg: `two registrations are called '${other.name}'; give one another name` });
    if (tableOf(other) === tableOf(structure) && other.dataSource === structure.dataSource)
      problems.push({
        option: 'table',
        msg: `registration '${other.name}' uses table ${tableOf(other)}, too; give one another \`table\``,
      });
    const taken = new Set(endpoints(other).map(({ endpoint }) => endpoint));
    for (const { uri, endpoint } of endpoints(structure))
      if (taken.has(endpoint))
        problems.push({
          option: uri,
          msg: `registration '${other.name}' serves ${endpoint}, too; give one another URI`,
        });
  }
  if (problems.length > 0) throw new TaskOptionsError(structure.name, problems);
}

/** The table's name, as the option or the entity's decorator says it. */
const tableOf = ({ table, entity }: TaskStructure): string =>
  table ?? getMetadataArgsStorage().filterTables(entity)[0]?.name ?? entity.name;

function classProblems(structure: TaskStructure): OptionProblem[] {
  const required: [option: keyof TaskStructure, base: Type][] = [
    ['entity', Task],
    ['controller', TaskController],
    ['cronController', CronTaskController],
    ['response', TaskResponse],
  ];
  const problems = required
    .filter(([option, base]) => !extendsClass(structure[option], base))
    .map(([option, base]) => ({
      option,
      msg: `${nameOf(structure[option])} does not extend ${base.name}; declare it as \`class … extends ${base.name}\``,
    }));
  for (const option of ['controller', 'cronController'] as const) {
    const path: unknown = Reflect.getMetadata(PATH_METADATA, structure[option]);
    if (path !== undefined && path !== '/' && path !== '')
      problems.push({
        option,
        msg: `${nameOf(structure[option])} has a path of its own, ${JSON.stringify(path)}; leave @Controller() off and set the URIs by options`,
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
    const wantsId = new TaskUris()[uri].includes('{taskId}');
    if (typeof value !== 'string' || !/^(\/[\w.~{}-]+)+$/.test(value))
      problems.push({ option: uri, msg: `must be a path such as /api/tasks, not ${JSON.stringify(value)}` });
    else if (wantsId !== value.includes('{taskId}'))
      problems.push({ option: uri, msg: `must ${wantsId ? '' : 'not '}contain {taskId}; it is ${value}` });
  }
  const seen = new Map<string, string>();
  for (const { uri, endpoint } of endpoints(structure)) {
    const other = seen.get(endpoint);
    if (other && other !== uri) problems.push({ option: uri, msg: `${endpoint} is ${other}, too` });
    seen.set(endpoint, uri);
  }
  return unique(problems);
}

/** Method and path of each route, parameters' names apart. */
const endpoints = (structure: TaskStructure): { uri: string; endpoint: string }[] =>
  ROUTES.map(({ uri, method }) => ({
    uri,
    endpoint: `${RequestMethod[method]} ${String(structure[uri]).replaceAll(/\{\w+\}/g, '{}')}`,
  }));

function tableProblems(structure: TaskStructure): OptionProblem[] {
  // A class that extends nothing of ours is another problem's.
  const table = extendsClass(structure.entity, Task) ? tableOf(structure) : 'tasks';
  // Triggers and indexes are called after it, and names end at 63 characters.
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
    .map((field) => ({ option: 'dto', msg: `${dto.name}.${field} is the queue's own; name the column otherwise` }));
}

const unique = (problems: OptionProblem[]): OptionProblem[] => [
  ...new Map(problems.map((problem) => [`${problem.option} ${problem.msg}`, problem])).values(),
];
