// What the declarations of fields and parameters give: tables of docs/rest-api.md, and the types of both clients.
import { TASK_FIELDS } from '../dist/src/contract/task.fields.js';
import {
  ClaimTaskDto,
  CreateTaskDto,
  ListTasksDto,
  RemoveTasksDto,
  ReportTaskDto,
  UpdateTaskDto,
  WatchTasksDto,
} from '../dist/src/index.js';
import { parametersOf } from '../dist/src/validation/field.js';
import { figure } from '../dist/src/validation/rule.js';

const REQUESTS = {
  create: CreateTaskDto,
  change: UpdateTaskDto,
  list: ListTasksDto,
  remove: RemoveTasksDto,
  watch: WatchTasksDto,
  claim: ClaimTaskDto,
  report: ReportTaskDto,
};

/** The fields in a task's JSON. */
const shown = Object.entries(TASK_FIELDS)
  .filter(([, field]) => field.shown)
  .map(([property, field]) => ({
    name: field.shown.name ?? property,
    type: ['tiny', 'small', 'int'].includes(field.kind) ? 'integer' : 'string',
    isNullable: field.nullable === true && field.shown.nullAs === undefined && !field.shown.optional,
    text: field.shown.description,
    ...field.shown,
  }));

/** The parameters of a request. */
const parameters = (Dto) =>
  parametersOf(Dto).map(({ name, rule: { schema, bound, typeName }, doc }) => ({
    name,
    schema,
    type: typeName ?? (schema.oneOf ? 'ids' : schema.type),
    isRequired: doc.required === true,
    text: bound ? `${doc.description} ${bound}` : doc.description,
    preset: doc.default,
  }));

/** Bounds of an integer, in words. Those of a 32-bit integer are none. */
function boundsOf({ type, minimum, maximum = Infinity }) {
  if (type !== 'integer' || minimum === undefined || minimum < -32_768) return '';
  return maximum < 2 ** 31 - 1 ? `${figure(minimum)} to ${figure(maximum)}` : `from ${figure(minimum)}`;
}

/** The values that a parameter allows, in words. */
function valuesOf({ type, schema, preset, isRequired }) {
  const words = { integer: `integer ${boundsOf(schema)}`.trim(), boolean: 'true or false', ids: 'list of ids' };
  const [one] = schema.oneOf ?? [];
  const object = one?.type === 'object' ? `object { ${Object.keys(one.properties).join(', ')} }` : undefined;
  const kind = words[type] ?? object ?? { 'date-time': 'time', uri: 'URL' }[schema.format] ?? 'text';
  return kind + (preset === undefined ? '' : `; ${preset} by default`) + (isRequired ? '; required' : '');
}

export const taskTable = () => [
  ['field', 'what it is'],
  shown.map(({ name, text, isNullable }) => [
    `\`${name}\``,
    isNullable && !text.includes('null') ? `${text} Or null.` : text,
  ]),
];

export const parameterTables = Object.fromEntries(
  Object.entries(REQUESTS).map(([name, Dto]) => [
    name,
    () => [
      ['parameter', 'values', 'what it is'],
      parameters(Dto).map((each) => [`\`${each.name}\``, valuesOf(each), each.text]),
    ],
  ]),
);

const TYPES = {
  ts: { integer: 'number', string: 'string', boolean: 'boolean', ids: 'string[]', array: 'unknown[]' },
  py: { integer: 'int', string: 'str', boolean: 'bool', ids: 'List[str]', array: 'List[object]' },
};

/** A docstring, in lines of at most 120 characters. */
function docstring(text) {
  const line = `  /** ${text} */`;
  if (line.length <= 120) return line;
  const lines = [''];
  for (const word of text.split(' ')) {
    if (`   * ${lines.at(-1)} ${word}`.length > 120) lines.push('');
    lines.push(`${lines.pop()} ${word}`.trim());
  }
  return ['  /**', ...lines.map((each) => `   * ${each}`), '   */'].join('\n');
}

const capital = (text) => text && `${text[0].toUpperCase()}${text.slice(1)}.`;

const inTypeScript = (Dto) => () =>
  parameters(Dto)
    .map(
      ({ name, type, schema, isRequired, text }) =>
        `${docstring(`${text} ${capital(boundsOf(schema))}`.trim())}\n  ${name}${isRequired ? '' : '?'}: ${TYPES.ts[type] ?? type};`,
    )
    .join('\n');

/** Section of src/protocol/wire.types.ts -> its text. */
export const typeScriptTypes = {
  task: () =>
    shown
      .map(
        ({ name, type, isNullable, optional, text }) =>
          `${docstring(text)}\n  ${name}${optional ? '?' : ''}: ${TYPES.ts[type]}${isNullable ? ' | null' : ''};`,
      )
      .join('\n'),
  ...Object.fromEntries(Object.entries(REQUESTS).map(([name, Dto]) => [name, inTypeScript(Dto)])),
};

const inPython =
  (Dto, isWanted = () => true) =>
  () =>
    parameters(Dto)
      .filter(isWanted)
      .map(({ name, type }) => `    ${name}: ${TYPES.py[type] ?? type}`)
      .join('\n');

const inTask = (isWanted) =>
  shown
    .filter(isWanted)
    .map(({ name, type, isNullable }) => `    ${name}: ${isNullable ? `Optional[${TYPES.py[type]}]` : TYPES.py[type]}`)
    .join('\n');

/** Section of clients/python/softdd_task/api_types.py -> its text. */
export const pythonTypes = {
  task: () => inTask(({ optional }) => !optional),
  sometimes: () => inTask(({ optional }) => optional),
  required: inPython(CreateTaskDto, ({ isRequired }) => isRequired),
  create: inPython(CreateTaskDto, ({ isRequired }) => !isRequired),
  change: inPython(UpdateTaskDto),
  list: inPython(ListTasksDto),
};
