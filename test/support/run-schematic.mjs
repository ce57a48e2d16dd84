// Runs `nest add @softdd/task` on apps that exist in memory only, as the Nest CLI would. Jest can't: it requires no ES
// modules. Reads from standard input a list of cases, `{ files, options, times }`; a case without a file app.module.ts of
// its own begins with what `nest new` makes, and `null` takes a file away. Prints for each of them the files, the tasks
// and the log of each run, or its error.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Tree } from '@angular-devkit/schematics';
import { SchematicTestRunner, UnitTestTree } from '@angular-devkit/schematics/testing/index.js';

const collection = resolve(import.meta.dirname, '../../dist/schematics/collection.json');

async function freshApp() {
  const runner = new SchematicTestRunner('@nestjs/schematics', 'node_modules/@nestjs/schematics/dist/collection.json');
  const made = await runner.runSchematic('application', { name: 'app' });
  return Object.fromEntries(made.files.map((path) => [path.replace(/^\/app\//, '/'), made.readContent(path)]));
}

const fresh = await freshApp();

async function run({ files = {}, options = {}, times = 1 }) {
  const tree = new UnitTestTree(Tree.empty());
  for (const [path, text] of Object.entries({ ...fresh, ...files })) if (text !== null) tree.create(path, text);
  const runs = [];
  let result = tree;
  for (let time = 0; time < times; time++) {
    const runner = new SchematicTestRunner('@softdd/task', collection);
    const log = [];
    runner.logger.subscribe(({ message }) => log.push(message));
    try {
      result = await runner.runSchematic('nest-add', options, result);
    } catch (error) {
      return { error: error.message };
    }
    const written = Object.fromEntries(result.files.map((path) => [path, result.readContent(path)]));
    runs.push({ files: written, tasks: runner.tasks.map(({ name }) => name), log });
  }
  return { runs };
}

const cases = JSON.parse(readFileSync(0, 'utf8'));
const results = [];
for (const each of cases) results.push(await run(each));
console.log(JSON.stringify(results));
