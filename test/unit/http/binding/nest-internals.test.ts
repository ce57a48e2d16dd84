import { describe, expect, it } from '@jest/globals';
import {
  createParamDecorator,
  Get,
  Header,
  HttpCode,
  Next,
  Param,
  Req,
  RequestMethod,
  Res,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { ExternalContextCreator, HttpAdapterHost } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiProperty, ApiResponse, IntersectionType } from '@nestjs/swagger';
import * as internals from '../../../../src/http/binding/nest-internals.js';
import { type Host, startHost } from '../../../support/host.js';

const guard = { canActivate: () => true };
const interceptor = { intercept: (_: unknown, next: { handle(): any }) => next.handle() };
const pipe = { transform: (value: unknown) => value };
const filter = { catch: () => undefined };
const read = (): string => 'read';
const Custom = createParamDecorator(read);

class Sample {
  @Get('/path')
  @HttpCode(202)
  @Header('X-Name', 'value')
  @UseGuards(guard)
  @UseInterceptors(interceptor)
  @UsePipes(pipe)
  @UseFilters(filter)
  @ApiOperation({ summary: 'A summary' })
  @ApiResponse({ status: 418, description: 'A teapot' })
  @RouteConfig({ config: true })
  all(@Req() request: object, @Param('id') id: string, @Custom() custom: number): unknown {
    return [request, id, custom];
  }

  @Get()
  res(@Res() response: unknown): void {
    void response;
  }
  @Get()
  next(@Next() next: unknown): void {
    void next;
  }
  @Get()
  passthrough(@Res({ passthrough: true }) response: unknown): void {
    void response;
  }
}

class Dto {
  @ApiProperty({ description: 'A name.' })
  name!: string;
}

const { NEST, SWAGGER, FASTIFY_CONFIG } = internals;
const handler = Sample.prototype.all;
const under = (key: string, target: object, name?: string): unknown =>
  name === undefined ? Reflect.getMetadata(key, target) : Reflect.getMetadata(key, target, name);

/** What public decorators leave under a key, as we read it. */
const KEYS: Record<string, [found: () => unknown, expected: unknown]> = {
  'Nest: path': [() => under(NEST.path, handler), '/path'],
  'Nest: method': [() => under(NEST.method, handler), RequestMethod.GET],
  'Nest: httpCode': [() => under(NEST.httpCode, handler), 202],
  'Nest: headers': [() => under(NEST.headers, handler), [{ name: 'X-Name', value: 'value' }]],
  'Nest: guards': [() => under(NEST.guards, handler), [guard]],
  'Nest: interceptors': [() => under(NEST.interceptors, handler), [interceptor]],
  'Nest: pipes': [() => under(NEST.pipes, handler), [pipe]],
  'Nest: filters': [() => under(NEST.filters, handler), [filter]],
  'Nest: types': [() => internals.typesOf(Sample.prototype, 'all'), [Object, String, Number]],
  'Nest: passthrough': [() => under(NEST.passthrough, Sample, 'passthrough'), true],
  'Swagger: operation': [() => under(SWAGGER.operation, handler), expect.objectContaining({ summary: 'A summary' })],
  'Swagger: responses': [() => Object.keys(under(SWAGGER.responses, handler) as object), ['418']],
  'Swagger: properties': [() => under(SWAGGER.properties, Dto.prototype), [':name']],
  'Swagger: property': [
    () => under(SWAGGER.property, Dto.prototype, 'name'),
    expect.objectContaining({ description: 'A name.' }),
  ],
  'Swagger: property of a joined class': [
    () => under(SWAGGER.property, IntersectionType(Dto, class {}).prototype, 'name'),
    expect.objectContaining({ description: 'A name.' }),
  ],
  'Fastify: config': [() => under(FASTIFY_CONFIG, handler), { config: true }],
};

describe('what others keep under private keys', () => {
  it('is watched, every key', () => {
    const watched = Object.keys(KEYS).map((name) => name.split(' ')[1]);
    const names = [...Object.keys(NEST), ...Object.keys(SWAGGER)].filter((name) => name !== 'parameters');
    expect(names.filter((name) => !watched.includes(name))).toEqual([]);
  });

  it.each(Object.entries(KEYS))('%s', (_, [found, expected]) => {
    expect(found()).toEqual(expected);
  });
});

describe('parameters of a handler', () => {
  const entries = () => Object.entries(internals.parametersOf(Sample, 'all')).sort(([, a], [, b]) => a.index - b.index);

  it('are there by kind and index', () => {
    expect(entries().map(([, { index, data, pipes }]) => ({ index, data, pipes }))).toEqual([
      { index: 0, data: undefined, pipes: [] },
      { index: 1, data: 'id', pipes: [] },
      { index: 2, data: undefined, pipes: [] },
    ]);
    expect(entries()[0]).toEqual(Object.entries(internals.requestAndResponse(0))[0]);
    expect(entries().map((entry) => internals.isPathParameter(...entry))).toEqual([false, true, false]);
    expect(entries().map(([key]) => internals.isCustom(key))).toEqual([false, false, true]);
    expect(entries().map(([, { factory }]) => factory === read)).toEqual([false, false, true]);
  });

  it('say whether it answers by itself', () => {
    const methods = ['all', 'res', 'next', 'passthrough'];
    expect(methods.filter((name) => internals.answersItself(Sample as Type, name))).toEqual(['res', 'next']);
  });

  it('say whether it has pipes', () => {
    expect(['all', 'res'].map((name) => internals.hasOwnPipes(Sample as Type, name))).toEqual([true, false]);
  });
});

describe('classes of Nest that it does not export', () => {
  it('make a context and read its parameters', () => {
    const context = new internals.ExecutionContextHost(['request', 'response'], Sample, handler);
    expect([context.switchToHttp().getRequest(), context.getClass(), context.getHandler()]).toEqual([
      'request',
      Sample,
      handler,
    ]);
    const req = { params: { id: 'x' } };
    const params = new internals.RouteParamsFactory();
    const valueOf = (key: string, { data }: internals.Parameter): unknown =>
      params.exchangeKeyForValue(Number.parseInt(key, 10), data as never, { req, res: 'res', next: null as never });
    const [request, id] = Object.entries(internals.parametersOf(Sample, 'all'))
      .filter(([key]) => !internals.isCustom(key))
      .sort(([, a], [, b]) => a.index - b.index)
      .map((entry) => valueOf(...entry));
    expect([request, id]).toEqual([req, 'x']);
    const [response] = Object.entries(internals.parametersOf(Sample, 'res')).map((entry) => valueOf(...entry));
    expect(response).toBe('res');
  });

  it('call a handler outside of its route, without interceptors', async () => {
    const host: Host = await startHost({ engine: 'sqlite', adapter: 'express' });
    try {
      const create = host.app.get(ExternalContextCreator).create.bind(host.app.get(ExternalContextCreator));
      const params = { exchangeKeyForValue: (type: number, data: unknown) => [type, data] };
      const call = create(
        new Sample() as never,
        handler as never,
        'all',
        NEST.parameters,
        params as never,
        undefined,
        undefined,
        { guards: false, filters: false, interceptors: false },
      );
      expect(await call('request')).toEqual([[0, undefined], [5, 'id'], 'read']);
    } finally {
      await host.close();
    }
  });
});

describe('the router of Express', () => {
  it('holds the handlers, which can be replaced and keep their metadata', async () => {
    const host = await startHost({ engine: 'sqlite', adapter: 'express' });
    try {
      const layers = internals.expressLayers(host.app.get(HttpAdapterHost).httpAdapter);
      const [own] = layers.filter((layer) => layer.route?.methods.get && layer.match('/api/tasks'));
      const handles = own!.route!.stack.map(({ handle }) => Reflect.getMetadata(NEST.path, handle));
      expect(handles).toEqual(['/api/tasks']);
      internals.replaceExpressHandlers([own!], () => (_, response) => (response as any).status(200).json('replaced'));
      expect((await host.user('alice', 'GET', '/api/tasks')).body).toBe('replaced');
      expect(own!.route!.stack.map(({ handle }) => Reflect.getMetadata(NEST.path, handle))).toEqual(handles);
    } finally {
      await host.close();
    }
  });
});
