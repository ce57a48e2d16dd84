// Writes what the code says into documents and into types of clients: options, error codes, moves, fields. `--check` only
// compares (exit code 1).
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as prettier from 'prettier';
import ts from 'typescript';
import { TASK_ERRORS, TASK_STATUS } from '../dist/src/index.js';
import { MOVES } from '../dist/src/queue/life-cycle.js';
import { ERROR_REMEDIES } from './error-remedies.js';
import { parameterTables, pythonTypes, taskTable, typeScriptTypes } from './write-fields.js';

const root = resolve(import.meta.dirname, '..');
const read = (file) => readFileSync(resolve(root, file), 'utf8');

/** Docstrings of the option classes: name, type, text, default. */
function options(className, file) {
  const source = ts.createSourceFile('options.ts', read(file), ts.ScriptTarget.Latest, true);
  const declaration = source.statements.find(
    (node) => (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) && node.name?.text === className,
  );
  return declaration.members.map((member) => {
    const [doc] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
    const preset = doc.tags?.find((tag) => tag.tagName.text === 'defaultValue');
    return {
      name: member.name.text,
      text: ts.getTextOfJSDocComment(doc.comment).replaceAll(/\s+/g, ' '),
      preset: ts.getTextOfJSDocComment(preset.comment).replaceAll(/\s+/g, ' '),
    };
  });
}

const cell = (text) => text.replaceAll('|', '\\|');
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const optionRows = (found, extra = () => []) =>
  found.map(({ name, text, preset }) => [
    `\`${name}\``,
    preset === 'undefined' ? '-' : /^[\[A-Z'\d]|^(true|false)$/.test(preset) ? `\`${preset}\`` : preset,
    ...extra(name),
    text,
  ]);
const structure = () => [
  ...options('ContractStructure', 'src/contract/contract.options.ts'),
  ...options('ControllerStructure', 'src/http/controller.options.ts'),
  ...options('HttpStructure', 'src/http/http.options.ts'),
];
const values = () => [
  ...options('QueueValues', 'src/queue/queue.options.ts'),
  ...options('HttpValues', 'src/http/http.options.ts'),
  ...options('SchemaValues', 'src/schema/schema.options.ts'),
  ...options('CallbackValues', 'src/callbacks/callbacks.options.ts'),
  ...options('FlowValues', 'src/flow/flow.options.ts'),
  ...options('LiveValues', 'src/live/live.options.ts'),
  ...options('SchedulesValues', 'src/schedules/schedules.options.ts'),
  ...options('BatchesValues', 'src/batches/batches.options.ts'),
  ...options('OperatorValues', 'src/operator/operator.options.ts'),
  ...options('DashboardValues', 'src/dashboard/dashboard.options.ts'),
  ...options('MetricsValues', 'src/metrics/metrics.options.ts'),
];
const variable = (name) => [`\`TASK_${name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}\``];

const sections = {
  structure: () => table(['option', 'default', 'what it is'], optionRows(structure())),
  values: () => table(['option', 'default', 'environment', 'what it is'], optionRows(values(), variable)),
  functions: () =>
    table(
      ['option', 'default', 'what it is'],
      optionRows(options('TaskDynamicOptions', 'src/options/task.options.ts')),
    ),
  uris: () => table(['option', 'default', 'what it is'], optionRows(options('TaskUris', 'src/http/http.options.ts'))),
  errors: () =>
    table(
      ['name', 'code', 'HTTP', 'text', 'cause and remedy'],
      Object.entries(TASK_ERRORS).map(([name, { code, httpCode, msg, headers }]) => {
        const extra = Object.keys(headers ?? {}).map((header) => `, ${header}`);
        return [name, String(code), `${httpCode}${extra.join('')}`, msg, ERROR_REMEDIES[name]];
      }),
    ),
  moves: () =>
    [
      '```mermaid',
      'stateDiagram-v2',
      ...MOVES.map(({ from, to, by, how }) => `  ${from === 'NEW' ? '[*]' : from} --> ${to}: ${by}, ${how}`),
      ...['FINISHED', 'ERROR', 'CANCELLED'].map((end) => `  ${end} --> [*]`),
      '```',
      '',
      table(
        ['role', 'stored as'],
        Object.entries(TASK_STATUS).map(([role, value]) => [role, String(value)]),
      ),
    ].join('\n'),
};

const restApi = { task: () => table(...taskTable()) };
for (const [name, rows] of Object.entries(parameterTables)) restApi[name] = () => table(...rows());

const PLACES = [
  ['docs/configuration.md', sections],
  ['docs/errors.md', sections],
  ['docs/states.md', sections],
  ['docs/rest-api.md', restApi],
  ['docs/live-events.md', restApi],
  ['src/protocol/wire.types.ts', typeScriptTypes],
  ['clients/python/softdd_task/api_types.py', pythonTypes],
];
/** How a file marks the section of a name, and how it is formatted. */
const STYLES = {
  md: { open: (name) => `<!-- ${name} -->\n`, close: (name) => `<!-- /${name} -->`, gap: '\n', parser: 'markdown' },
  ts: { open: (name) => `// <${name}>\n`, close: (name) => `// </${name}>`, gap: '', parser: 'typescript' },
  py: { open: (name) => `    # <${name}>\n`, close: (name) => `    # </${name}>`, gap: '' },
};

const check = process.argv.includes('--check');
let stale = 0;
for (const [file, written] of PLACES) {
  const { open, close, gap, parser } = STYLES[file.split('.').at(-1)];
  const before = read(file);
  let after = before;
  for (const [name, write] of Object.entries(written))
    after = after.replace(
      new RegExp(`(${open(name)})[^]*?(${close(name)})`),
      (_, start, end) => `${start}${gap}${write()}\n${gap}${end}`,
    );
  if (parser) after = await prettier.format(after, { ...(await prettier.resolveConfig(resolve(root, file))), parser });
  if (after === before) continue;
  if (check) {
    stale += 1;
    process.stderr.write(`${file} does not say what the code says; run npm run docs\n`);
  } else writeFileSync(resolve(root, file), after);
}
process.exitCode = stale > 0 ? 1 : 0;
