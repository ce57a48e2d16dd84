import { RequestMethod, type VersioningOptions, VersioningType } from '@nestjs/common';
import type { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import type { StatusCodes } from '../protocol/status.js';
import { expressLayers } from '../http/binding/nest-internals.js';
import { Page, type PageFile } from './page.js';
import { relativeAddress } from './page-settings.js';

type Method = 'GET' | 'POST';
type Adapter = HttpAdapterHost['httpAdapter'];

/** What the page of a registration needs to know of it. */
export interface DashboardSettings {
  name: string;
  dashboardUri: string;
  operatorUri: string;
  postTaskUri: string;
  getCronTaskUri: string;
  status: StatusCodes;
}

/** A request and a response of Express or Fastify. */
interface Request {
  url: string;
  originalUrl?: string;
  params: { file?: string };
  headers: { 'accept-encoding'?: string };
}
interface Response {
  status(code: number): Response;
  send(body: Buffer | string): unknown;
}
interface Fastify {
  hasRoute(route: { method: string; url: string }): boolean;
}

/**
 * Serves the page, beside Nest's own routes: a guard of the host for its users would refuse a browser that opens an
 * address, and the page shows nothing before its requests to the routes for operators are let in. Returns what is
 * wrong, if it cannot.
 */
export function serveDashboard(
  adapter: Adapter,
  app: ApplicationConfig,
  settings: DashboardSettings,
): string | undefined {
  const uri = prefixed(app, settings.dashboardUri).replace(/\/$/, '');
  const paths = [uri || '/', ...(uri === '' ? [] : [`${uri}/`]), `${uri}/assets/:file`];
  if (isTaken(adapter, paths[0]!)) return `GET ${paths[0]} is already a route of the app; use another path`;
  const pathOf = (method: Method, route: string, end = ''): string => {
    const places = placesOf(app, route);
    return places.find((place) => isTaken(adapter, place + end, method)) ?? places[0]!;
  };
  const page = new Page({
    name: settings.name,
    operator: relativeAddress(uri, pathOf('GET', settings.operatorUri, '/overview')),
    tasks: relativeAddress(uri, pathOf('POST', settings.postTaskUri)),
    claims: relativeAddress(uri, pathOf('GET', settings.getCronTaskUri)),
    status: settings.status,
  });
  const index = async (request: Request, response: Response): Promise<void> => {
    // The addresses in the page are relative to a folder. A proxy may have put a prefix before it, so this one is, too.
    const [path] = (request.originalUrl ?? request.url).split('?');
    if (!path!.endsWith('/')) {
      adapter.setHeader(response, 'Location', `${uri.split('/').pop()}/`);
      response.status(302).send('');
    } else send(adapter, response, await page.index(request.headers['accept-encoding']));
  };
  const asset = async (request: Request, response: Response): Promise<void> => {
    const file = await page.asset(request.params.file ?? '', request.headers['accept-encoding']);
    if (file) send(adapter, response, file);
    else response.status(404).send('');
  };
  for (const path of paths) {
    // A server that ignores a slash at the end has both at once.
    if (isTaken(adapter, path)) continue;
    const handler = path.endsWith(':file') ? asset : index;
    adapter.get(path, async (request: Request, response: Response, next?: unknown) => {
      try {
        await handler(request, response);
      } catch (error) {
        if (typeof next !== 'function') throw error;
        (next as (error: unknown) => void)(error);
      }
      return response;
    });
  }
  return undefined;
}

function send(adapter: Adapter, response: Response, { body, headers }: PageFile): void {
  for (const [name, value] of Object.entries(headers)) adapter.setHeader(response, name, value);
  response.status(200).send(body);
}

/** Where a route of a controller may be: the app may put its default version before the paths of those that have none. */
function placesOf(app: ApplicationConfig, uri: string): string[] {
  const path = prefixed(app, uri);
  const before = path.slice(0, path.length - uri.length);
  return [path, ...versionsOf(app.getVersioning()).map((version) => `${before}/${version}${uri}`)];
}

function versionsOf(versioning: VersioningOptions | undefined): string[] {
  if (versioning?.type !== VersioningType.URI) return [];
  const { prefix = 'v', defaultVersion = [] } = versioning;
  return [defaultVersion].flat().flatMap((one) => (typeof one === 'string' ? [`${prefix || ''}${one}`] : []));
}

/** The path of a route with the app's global prefix, unless the app excludes the route from it. */
function prefixed(app: ApplicationConfig, uri: string): string {
  const prefix = app.getGlobalPrefix().replaceAll(/^\/+|\/+$/g, '');
  const { exclude = [] } = app.getGlobalPrefixOptions();
  const isExcluded = exclude.some(
    ({ pathRegex, requestMethod }) =>
      [RequestMethod.ALL, RequestMethod.GET].includes(requestMethod) && pathRegex.test(uri),
  );
  return prefix === '' || isExcluded ? uri : `/${prefix}${uri}`;
}

/** Whether the app serves this path already: Express would never reach the page, and Fastify would not start. */
function isTaken(adapter: Adapter, path: string, method: Method = 'GET'): boolean {
  if (adapter.getType() === 'fastify') return adapter.getInstance<Fastify>().hasRoute({ method, url: path });
  return expressLayers(adapter).some(
    ({ route }) => route?.path === path && route.methods[method.toLowerCase()] === true,
  );
}
