import { join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
const OPTIONS: ts.CompilerOptions = {
  ...ts.parseJsonConfigFileContent(config, ts.sys, root).options,
  noEmit: true,
  paths: { '@softdd/task': [join(root, 'src/index.ts')], '@softdd/task/client': [join(root, 'src/client/index.ts')] },
};

/** Files on disk as they were parsed, and the program of the last call: libraries are read once for all calls. */
const parsed = new Map<string, ts.SourceFile | undefined>();
let last: ts.Program | undefined;

/** Type errors of sources, given by their paths, that import the package by its name, as a host's would. */
export function typeErrors(sources: Map<string, string>): string[] {
  const host = ts.createCompilerHost(OPTIONS);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (file, ...rest) => {
    if (sources.has(file)) return ts.createSourceFile(file, sources.get(file)!, ts.ScriptTarget.ES2023);
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, ...rest));
    return parsed.get(file);
  };
  host.fileExists = (file) => sources.has(file) || fileExists(file);
  host.readFile = (file) => sources.get(file) ?? readFile(file);
  const program = ts.createProgram([...sources.keys()], OPTIONS, host, last);
  last = program;
  // The package's own files are what `npm run typecheck` looks at.
  const problems = [...sources.keys()].flatMap((file) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(file)),
  );
  return problems.map(
    (problem) =>
      `${problem.file?.fileName}: ${problem.file?.text.slice(problem.start, (problem.start ?? 0) + 90)} ${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`,
  );
}
