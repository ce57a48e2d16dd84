// `nest build` into dist/, and the library a second time as CommonJS. Does nothing where dist/ is newer than the sources
// (`--force` builds anyway).
//
// A server may be running from dist/, and another build may be under way. So all is built in a folder of its own, and
// then moved file by file: no file is ever missing or half written, and errors leave dist/ as it was.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pageModules } from './build-page.js';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const stamp = join(dist, '.built');
const part = join(dist, `.part-${process.pid}`);
const SOURCES = [
  'src',
  'schematics',
  'examples',
  'scripts/build.js',
  'scripts/build-page.js',
  'package.json',
  'node_modules/.package-lock.json',
];
const SETTINGS = ['ormconfig.ts', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
/** What a build writes: a file in there that it did not write is of a source that is gone. */
const OUTPUTS = ['src', 'cjs', 'schematics', 'examples'];
/** The library, without the standalone server. */
const LIBRARY = /^src\/(?!server\/|main\.|cli\.|settings\.)/;
/** Dependencies that are ES modules alone: tools that know CommonJS alone could not load them. */
const VENDORED = ['sql-template-tag', 'uuid'];

const read = (path) => readFileSync(path, 'utf8');
const all = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true });
const pathOf = ({ parentPath, name }) => join(parentPath, name);
const files = (folder) =>
  all(folder)
    .filter((each) => each.isFile())
    .map(pathOf);

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function isUpToDate() {
  if (!existsSync(stamp)) return false;
  const built = statSync(stamp).mtimeMs;
  const sources = [...SOURCES, ...SETTINGS].map((source) => join(root, source));
  // The time of a folder tells of files that are gone.
  const below = (path) => (statSync(path).isDirectory() ? all(path).map(pathOf) : []);
  return sources.flatMap((path) => [path, ...below(path)]).every((path) => statSync(path).mtimeMs < built);
}

function nestBuild() {
  const settings = join(part, 'tsconfig.json');
  // The examples import the package by its name, which leads to dist/: there is none in a fresh clone.
  const paths = { '@softdd/task': ['../../src/index.ts'], '@softdd/task/client': ['../../src/client/index.ts'] };
  write(settings, JSON.stringify({ extends: '../../tsconfig.build.json', compilerOptions: { outDir: '.', paths } }));
  const nest = join(root, 'node_modules/@nestjs/cli/bin/nest.js');
  execFileSync(process.execPath, [nest, 'build', '--path', relative(root, settings)], { cwd: root, stdio: 'inherit' });
  rmSync(settings);
}

/** Each build knows the version of package.json, which is the only place where it is set. */
function stampVersion() {
  const path = join(part, 'src/protocol/version.js');
  const { version } = JSON.parse(read(join(root, 'package.json')));
  const text = read(path).replace("'0.0.0'", `'${version}'`);
  if (!text.includes(`'${version}'`)) throw new Error('src/protocol/version.ts has no place for the version');
  writeFileSync(path, text);
}

/** The compiled library with other imports. Its types are the same. */
async function commonJs() {
  const { default: ts } = await import('typescript');
  const { buildSync } = await import('esbuild');
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.CommonJS,
    esModuleInterop: true,
    removeComments: true,
  };
  for (const path of files(join(part, 'src'))) {
    const name = relative(part, path).replaceAll('\\', '/');
    if (!LIBRARY.test(name)) continue;
    const up = '../'.repeat(name.split('/').length - 2) || './';
    const text = read(path).replaceAll(/(from |import\()'([^'.]+)'/g, (found, how, of) =>
      VENDORED.includes(of) ? `${how}'${up}vendor/${of}.js'` : found,
    );
    const own = path.endsWith('.js') ? ts.transpileModule(text, { compilerOptions }).outputText : text;
    write(join(part, name.replace('src', 'cjs')), own);
  }
  write(join(part, 'cjs/package.json'), '{ "type": "commonjs" }\n');
  for (const name of VENDORED) {
    const folder = join(root, 'node_modules', name);
    const license = readdirSync(folder).find((file) => file.startsWith('LICENSE'));
    const banner = `/*\n${read(join(folder, license))}*/\n`;
    const outfile = join(part, `cjs/vendor/${name}.js`);
    buildSync({
      entryPoints: [name],
      absWorkingDir: root,
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      banner: { js: banner },
    });
    // The only one whose types the library's own types name.
    if (name === 'sql-template-tag')
      write(join(part, `cjs/vendor/${name}.d.ts`), banner + read(join(folder, 'dist/index.d.ts')));
  }
}

/** The comments of the library stand in its types, where editors read them: its code needs them no second time. */
async function dropComments() {
  const { default: ts } = await import('typescript');
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, removeComments: true };
  for (const path of files(join(part, 'src'))) {
    if (!path.endsWith('.js') || !LIBRARY.test(relative(part, path).replaceAll('\\', '/'))) continue;
    writeFileSync(path, ts.transpileModule(read(path), { compilerOptions }).outputText);
  }
}

/** What the Nest CLI runs for `nest add`: CommonJS, because its older versions load nothing else. */
async function schematics() {
  const { default: ts } = await import('typescript');
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, removeComments: true };
  for (const path of files(join(root, 'schematics'))) {
    const text = read(path);
    const out = join(part, relative(root, path)).replace(/\.ts$/, '.js');
    write(out, path.endsWith('.ts') ? ts.transpileModule(text, { compilerOptions }).outputText : text);
  }
}

/** Removes what builds that were killed have left. One of them may have had the id that is ours now. */
function clean() {
  for (const name of existsSync(dist) ? readdirSync(dist) : []) {
    const [, pid] = /^\.part-(\d+)$/.exec(name) ?? [];
    if (pid && (Number(pid) === process.pid || !isRunning(Number(pid))))
      rmSync(join(dist, name), { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

clean();
if (process.argv.includes('--force') || !isUpToDate()) {
  const begun = new Date();
  try {
    const page = pageModules({ force: process.argv.includes('--force') });
    nestBuild();
    stampVersion();
    await commonJs();
    await dropComments();
    for (const [name, text] of Object.entries(await page)) write(join(part, name), text);
    await schematics();
    const built = files(part).map((path) => relative(part, path));
    for (const path of built) {
      mkdirSync(dirname(join(dist, path)), { recursive: true });
      renameSync(join(part, path), join(dist, path));
    }
    for (const path of OUTPUTS.flatMap((folder) => files(join(dist, folder))))
      if (!built.includes(relative(dist, path))) rmSync(path, { force: true });
    writeFileSync(stamp, '');
    // What changes while it is built is newer than the build.
    utimesSync(stamp, begun, begun);
  } catch (error) {
    // The compiler has said what is wrong.
    if (error.status === undefined) throw error;
    process.exitCode = 1;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
