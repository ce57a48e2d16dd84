import { join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname ?? 'test/support', '../..');

/** Type errors of sources, given by their paths, that import the package by its name, as a host's would. */
export function typeErrors(sources: Map<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  Object.assign(options, {
    noEmit: true,
    paths: { '@softdd/task': [join(root, 'src/index.ts')], '@softdd/task/client': [join(root, 'src/client/index.ts')] },
  });
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (file, ...rest) =>
    sources.has(file)
      ? ts.createSourceFile(file, sources.get(file)!, ts.ScriptTarget.ES2023)
      : getSourceFile(file, ...rest);
  host.fileExists = (file) => sources.has(file) || fileExists(file);
  host.readFile = (file) => sources.get(file) ?? readFile(file);
  const program = ts.createProgram([...sources.keys()], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map((problem) => `${problem.file?.fileName}: ${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`);
}
