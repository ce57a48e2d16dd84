import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Tree } from '@angular-devkit/schematics';
import { DRIVERS } from './data-source.js';

type Ranges = Record<string, string>;
interface PackageFile {
  dependencies?: Ranges;
  devDependencies?: Ranges;
}

const PACKAGE_FILE = 'package.json';
/** Major versions of NestJS that the queue supports. */
const MAJORS = [11, 12];

/** The host's major version of NestJS. */
export function nestMajor(tree: Tree): number {
  if (!tree.exists(PACKAGE_FILE))
    throw new Error('There is no package.json here: run `nest add` in the folder of the app.');
  const range = rangesOf(tree)['@nestjs/core'] ?? '';
  const version = /^[~^=]?\d/.test(range) && !range.includes('||') ? range : (installedNest() ?? range);
  const major = Number(/\d+/.exec(version)?.[0]);
  if (MAJORS.includes(major)) return major;
  const found = version === '' ? 'has no @nestjs/core' : `asks for @nestjs/core ${version}`;
  throw new Error(`@softdd/task needs NestJS ${MAJORS.join(' or ')}, and package.json ${found}.`);
}

/** The version of NestJS in node_modules, for ranges that name no version or several. */
function installedNest(): string | undefined {
  try {
    return (createRequire(join(process.cwd(), PACKAGE_FILE))('@nestjs/core/package.json') as { version: string })
      .version;
  } catch {
    return undefined;
  }
}

/** Peers that only a host installs that asks for what they do. */
const EXTRAS = ['prom-client', '@opentelemetry/api'];

/**
 * The peers that the host's package.json lacks, with the range that fits its NestJS, and the driver. Nest's own are
 * optional peers: npm would install the newest ones by itself, and refuse the queue in an app of an older NestJS before
 * this could run.
 */
export function addPeers(tree: Tree, major: number, driver: string | undefined): [name: string, range: string][] {
  const has = rangesOf(tree);
  const { peerDependencies } = ownPackage();
  return Object.entries(peerDependencies)
    .filter(([name]) => !(name in has))
    .filter(([name]) => name === driver || ![...DRIVERS, ...EXTRAS].includes(name))
    .map(([name, range]) => [name, rangeFor(name, range, major)]);
}

/** Writes packages to `dependencies`, which stay in order. Everything else keeps its place and its indentation. */
export function writePeers(tree: Tree, peers: [name: string, range: string][]): void {
  const text = tree.readText(PACKAGE_FILE);
  const file = JSON.parse(text) as PackageFile;
  const dependencies = { ...file.dependencies, ...Object.fromEntries(peers) };
  file.dependencies = Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1)));
  const indentation = /^[ \t]+(?=")/m.exec(text)?.[0] ?? '  ';
  tree.overwrite(PACKAGE_FILE, JSON.stringify(file, null, indentation) + (text.endsWith('\n') ? '\n' : ''));
}

/** Ranges such as `^11.0.0 || ^12.0.0`: of Nest's packages the one for its major, of others the newest. */
function rangeFor(name: string, range: string, major: number): string {
  const ranges = range.split(' || ');
  return name.startsWith('@nestjs/') ? ranges[MAJORS.indexOf(major)]! : ranges.at(-1)!;
}

function rangesOf(tree: Tree): Ranges {
  const { dependencies, devDependencies } = JSON.parse(tree.readText(PACKAGE_FILE)) as PackageFile;
  return { ...devDependencies, ...dependencies };
}

/** Our own package.json says which peers there are: this file runs from dist/schematics/nest-add. */
const ownPackage = (): { peerDependencies: Ranges } =>
  JSON.parse(readFileSync(join(__dirname, '../../../package.json'), 'utf8'));
