import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Tree } from '@angular-devkit/schematics';
import type * as TypeScript from 'typescript';
import type { NewDataSource } from './data-source.js';
import { sourceFiles } from './source-files.js';

/** What we use of @nestjs/schematics. */
interface NestSchematics {
  MetadataManager: new (content: string) => { insert(metadata: string, symbol: string): string | undefined };
}

const BY_HAND = 'Import TaskModule by hand: https://github.com/softdd/task#into-your-app';

/** Path of app.module.ts. */
export function findAppModule(tree: Tree, sourceRoot: string): string {
  const paths = [`${sourceRoot}/app.module.ts`, `${sourceRoot}/app/app.module.ts`];
  const found = paths.find((path) => tree.exists(path));
  if (found) return found;
  throw new Error(
    `There is no ${paths[0]}. In a monorepo name the project: \`nest add @softdd/task --project=NAME\`. ${BY_HAND}`,
  );
}

/** Whether any module of the app imports the queue. */
export function importsTaskModule(tree: Tree, sourceRoot: string): boolean {
  return sourceFiles(tree, sourceRoot).some(
    ({ text }) => text.includes('@softdd/task') && /\bTaskModule\s*\.\s*forRoot(Async)?\s*\(/.test(text),
  );
}

/** Imports TaskModule in app.module.ts. */
export function addTaskModule(tree: Tree, path: string): void {
  addModule(tree, path, 'TaskModule', '@softdd/task', '{ workerTokens: [process.env.WORKER_TOKEN!] }');
}

/** Imports TypeOrmModule in app.module.ts. */
export function addDataSource(tree: Tree, path: string, { options }: NewDataSource): void {
  const lines = options.map((option) => `      ${option},\n`);
  addModule(tree, path, 'TypeOrmModule', '@nestjs/typeorm', `{\n${lines.join('')}    }`);
}

function addModule(tree: Tree, path: string, name: string, from: string, options: string): void {
  const text = withImport(tree.readText(path), name, from);
  tree.overwrite(path, withModule(text, `${name}.forRoot(${options})`, path));
}

/** An element more in `imports` of the first @Module(). */
function withModule(text: string, element: string, path: string): string {
  const { MetadataManager } = load<NestSchematics>('@nestjs/schematics');
  // A call over several lines does not stand behind the bracket of a list that was empty.
  const isFirst = element.includes('\n') && /\bimports\s*:\s*\[\s*\]/.test(text);
  const changed = new MetadataManager(text).insert('imports', isFirst ? `\n    ${element},\n  ` : element);
  if (changed !== undefined && changed !== text) return changed;
  throw new Error(`${path} has no @Module({ imports: […] }) with a plain list. ${BY_HAND}`);
}

/** An import declaration more, behind the last one that is there. */
function withImport(text: string, name: string, from: string): string {
  const ts = load<typeof TypeScript>('typescript');
  const file = ts.createSourceFile('app.module.ts', text, ts.ScriptTarget.Latest);
  const imports = file.statements.filter((statement) => ts.isImportDeclaration(statement));
  if (imports.some((one) => namesIn(ts, one, from).includes(name))) return text;
  const newLine = text.includes('\r\n') ? '\r\n' : '\n';
  const quote = imports.some((one) => one.moduleSpecifier.getText(file).startsWith('"')) ? '"' : "'";
  const line = `import { ${name} } from ${quote}${from}${quote};`;
  const end = imports.at(-1)?.end;
  if (end === undefined) return line + newLine + text;
  return text.slice(0, end) + newLine + line + text.slice(end);
}

/** Names that this declaration imports from that package. */
function namesIn(ts: typeof TypeScript, declaration: TypeScript.ImportDeclaration, from: string): string[] {
  const { moduleSpecifier, importClause } = declaration;
  if (!ts.isStringLiteral(moduleSpecifier) || moduleSpecifier.text !== from) return [];
  const bindings = importClause?.namedBindings;
  return bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
}

const loader = createRequire(__filename);

/** The host's copy of a package that every Nest app has for development, else the CLI's. */
function load<T>(name: string): T {
  const paths = [process.cwd(), dirname(process.argv[1] ?? '.'), __dirname];
  try {
    return loader(loader.resolve(name, { paths })) as T;
  } catch (cause) {
    throw new Error(`\`nest add @softdd/task\` needs ${name}: install it with \`npm install -D ${name}\`.`, { cause });
  }
}
