import { nearestOf, valueNames } from '../settings.js';
import { ConfigError, variableOf } from './failure.js';

/** Variables of the server that are not options of the module. */
const OTHERS = ['TASK_JWT_SECRET', 'TASK_CORS_ORIGINS'];
/** Variables of clients and workers, which are often in the same `.env`. */
const CLIENTS = ['TASK_URL', 'TASK_WORKER_TOKEN', 'TASK_USER_TOKEN', 'TASK_SERVICE'];
/** Variables of the server without the prefix. */
const BARE = ['PORT', 'HOST', 'DATABASE_URL'];

/**
 * Variables that Kubernetes and Docker set for a service or container whose name begins with `task`. Nobody wrote them,
 * so they are not misspelt.
 */
const SERVICE_LINKS: [name: RegExp, value: RegExp][] = [
  [/_SERVICE_HOST$/, /^/],
  [/_SERVICE_PORT(_\w+)?$/, /^\d+$/],
  [/_PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?$/, /^/],
  [/_PORT$/, /^(tcp|udp|sctp):\/\//],
  [/_NAME$/, /^\//],
  [/_ENV_\w+$/, /^/],
];

/** Throws a ConfigError for a variable that nothing reads: it is misspelt, and would be ignored silently. */
export function checkVariables(environment: Record<string, string | undefined>): void {
  const known = [...valueNames().map(variableOf), ...OTHERS];
  const unknown = Object.entries(environment).find(
    ([name, value]) =>
      /^TASK_/i.test(name) && ![...known, ...CLIENTS].includes(name) && value !== undefined && !isLink(name, value),
  );
  if (!unknown) return;
  const [name] = unknown;
  const nearest = nearestOf(name.toUpperCase(), [...known, ...BARE.map((bare) => `TASK_${bare}`)]);
  const meant = nearest && (known.includes(nearest) ? nearest : nearest.slice('TASK_'.length));
  throw new ConfigError(
    name,
    // The value may be a misspelt variable's secret.
    '…',
    `there is no such setting; ${meant ? `did you mean ${meant}?` : 'docs/configuration.md lists all of them.'} Correct it, or unset it`,
  );
}

const isLink = (name: string, value: string): boolean =>
  SERVICE_LINKS.some(([form, holds]) => form.test(name) && holds.test(value));
