// Builds the dashboard's page into one module, dist/src/dashboard/page-files.js: the text of each file by its path. As a
// module, ES modules, CommonJS and bundlers of hosts find it alike. Run by itself it renews the page alone, in a second.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');
const NAME = 'src/dashboard/page-files.js';
const SOURCES = [
  'src/dashboard/app',
  'src/client',
  'src/protocol',
  'scripts/build-page.js',
  'node_modules/.package-lock.json',
];
/** Packages whose code is in the page. */
const BUNDLED = ['preact', '@preact/signals', '@preact/signals-core'];

const commonJs = (name) => name.replace('src', 'cjs');

const filesOf = (path) =>
  statSync(path).isDirectory()
    ? [path, ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))]
    : [path];

/** Whether the page in dist/ is newer than all that it is made of. */
function isUpToDate(built) {
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  return SOURCES.flatMap((source) => filesOf(join(root, source))).every((path) => statSync(path).mtimeMs < mtimeMs);
}

/** The module for ES modules and for CommonJS, by their paths in dist/. What is there stays if nothing has changed. */
export async function pageModules({ force = false } = {}) {
  const built = join(root, 'dist', NAME);
  const text = !force && isUpToDate(built) ? readFileSync(built, 'utf8') : await buildPage();
  const types = readFileSync(join(root, NAME.replace('.js', '.d.ts')), 'utf8');
  return {
    [NAME]: text,
    [NAME.replace('.js', '.d.ts')]: types,
    [commonJs(NAME)]: text.replace('export const FILES', 'exports.FILES'),
    [commonJs(NAME).replace('.js', '.d.ts')]: types,
  };
}

async function buildPage() {
  const { build } = await import('vite');
  const { output } = await build({
    configFile: false,
    root: join(root, 'src/dashboard/app'),
    base: './',
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
      modulePreload: false,
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
  });
  const files = output.map(({ fileName, code, source }) => [fileName, String(code ?? source)]);
  const licenses = BUNDLED.map((name) => {
    const folder = join(root, 'node_modules', name);
    const license = readdirSync(folder).find((file) => file.startsWith('LICENSE'));
    return `${name}\n\n${readFileSync(join(folder, license), 'utf8')}`;
  });
  const banner = `/*!\nThe page contains:\n\n${licenses.join('\n').replaceAll('*/', '* /')}*/\n`;
  return `${banner}export const FILES = ${JSON.stringify(Object.fromEntries(files), null, 1)};\n`;
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  for (const [name, text] of Object.entries(await pageModules({ force: process.argv.includes('--force') })))
    write(join(root, 'dist', name), text);
