import type { Tree } from '@angular-devkit/schematics';

export interface SourceFile {
  path: string;
  text: string;
}

/** The app's TypeScript files. */
export function sourceFiles(tree: Tree, sourceRoot: string): SourceFile[] {
  const files: SourceFile[] = [];
  tree.getDir(sourceRoot).visit((path) => {
    if (path.endsWith('.ts') && !/\.(d|spec|test)\.ts$|\/node_modules\//.test(path))
      files.push({ path, text: tree.readText(path) });
  });
  return files;
}
