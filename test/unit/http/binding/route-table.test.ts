import { describe, expect, it } from '@jest/globals';
import { AUDIENCES } from '../../../../src/http/binding/audiences.js';
import { parametersOf, typesOf } from '../../../../src/http/binding/nest-internals.js';
import { pathOf, sourceOf } from '../../../../src/http/binding/route-definition.js';
import { ROUTES } from '../../../../src/http/binding/route-table.js';
import { TaskUris } from '../../../../src/http/http.options.js';
import { readHeader } from '../../../../src/http/request/headers.js';
import { readInput } from '../../../../src/http/request/input.js';

it('puts a route below the path of its option', () => {
  const show = ROUTES.find(({ operationId }) => operationId === 'getTask')!;
  const uris = { ...new TaskUris(), getTaskUri: '/jobs/{taskId}' };
  expect(pathOf(show, uris)).toBe('/jobs/{taskId}');
  expect(pathOf({ ...show, subPath: '/tries' }, uris)).toBe('/jobs/{taskId}/tries');
});

describe.each(ROUTES)('the route $operationId', (route) => {
  const { base } = AUDIENCES[route.audience];
  const source = sourceOf(route);
  const parameters = Object.values(parametersOf(base, source));

  it('has a handler that reads the input and the headers that the table names', () => {
    const types = typesOf(base.prototype as object, source)!;
    const inputs = parameters.filter(({ factory }) => factory === readInput).map(({ index }) => types[index]);
    expect(inputs).toEqual(route.input ? [route.input] : []);
    const headers = parameters.filter(({ factory }) => factory === readHeader).map(({ data }) => data);
    expect(headers.sort()).toEqual([...(route.headers ?? [])].sort());
  });

  it('has a method for each name in the table', () => {
    const names = [source, route.listHandler, route.override?.handler].filter((name) => name !== undefined);
    expect(names.filter((name) => typeof (base.prototype as Record<string, unknown>)[name] !== 'function')).toEqual([]);
  });
});
