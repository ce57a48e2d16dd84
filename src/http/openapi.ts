import { RequestMethod, type Type } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA } from '@nestjs/common/constants.js';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  type ApiOperationOptions,
  ApiParam,
  type ApiPropertyOptions,
  ApiQuery,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { TaskErrorName } from '../contract/errors.js';
import type { TaskStructure } from '../task.options.js';
import { CreateTaskDto } from './dto/create-task.dto.js';
import type { TaskDtos } from './dto/index.js';
import { UpdateTaskDto } from './dto/update-task.dto.js';
import { describeFailure, describeSuccess } from './openapi.envelope.js';
import { createSchemas, dataOf, type TaskSchemas } from './openapi.schemas.js';
import { type Audience, type ParameterHeader, type RouteDefinition, servedBy } from './route-table.js';
import { LIMITS } from '../core/rules.js';

/** Failures of every route. */
const ANYWHERE: TaskErrorName[] = ['INVALID_TOKEN', 'UNAVAILABLE', 'INTERNAL'];

const BODY_TYPES = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];
const EXAMPLE_ID = '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c';
const cached = (example: string) => ({
  'Cache-Control': { description: 'Answers are never cached.', schema: { type: 'string', example } },
});
const NO_CACHE = cached('no-cache');

/** Headers that are parameters. */
const HEADERS: Record<ParameterHeader, { description: string; schema: object }> = {
  'Idempotency-Key': {
    description:
      "Of the client's choice, new for each new wish: a request that is sent again with the same key, because its " +
      'answer was lost, is answered as the first one.',
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: LIMITS.keyLength,
      example: '6b0f6d0e-5f0e-4f57-9a0c-8c8d3cf6a1b2',
    },
  },
  'Lease-Token': {
    description: "The claim's token, for those who would rather not say `leaseToken` in the body.",
    schema: { type: 'string', minLength: 1, maxLength: 36, example: 'b7e23ec2-9f0b-4c1e-8a45-3d1f5f2c6a10' },
  },
};

type Handlers = Record<string, () => unknown>;

/** Puts what the routes of a registration take and give into their metadata, for @nestjs/swagger to read. */
export class RouteDocs {
  private readonly schemas: TaskSchemas;

  constructor(
    private readonly structure: TaskStructure,
    private readonly dtos: TaskDtos,
  ) {
    this.schemas = createSchemas(structure, dtos);
  }

  /** What all handlers share, those that the host adds too. */
  controller(Bound: Type, audience: Audience): void {
    ApiTags(`${audience === 'user' ? 'tasks' : 'crontask'}${this.schemas.suffix}`)(Bound);
    ApiBearerAuth(audience)(Bound);
    const { task, cronTask, claimed, notice } = this.schemas;
    ApiExtraModels(task, cronTask, claimed, notice)(Bound);
  }

  /** A route of the contract's. */
  route(Bound: Type, route: RouteDefinition): void {
    const proto = Bound.prototype as Handlers;
    const served = servedBy(route.handler);
    const handler = proto[served]!;
    const apply = applierOf(Bound, served);

    const operation = Reflect.getMetadata('swagger/apiOperation', handler) as ApiOperationOptions | undefined;
    const callbacks = route.answer === 'created' ? { callbacks: this.callbacks() } : {};
    apply(ApiOperation({ ...operation, ...callbacks, operationId: route.operationId + this.schemas.suffix }));
    if (this.structure[route.uri].includes('{taskId}')) {
      const schema = { type: 'string', maxLength: 36, example: EXAMPLE_ID };
      apply(ApiParam({ name: 'taskId', description: 'Id of the task.', schema }));
    }
    this.input(proto, route).forEach(apply);
    (route.headers ?? []).forEach((name) => apply(ApiHeader({ name, required: false, ...HEADERS[name] })));
    const schema = describeSuccess(new this.structure.response(), dataOf(route.answer, this.schemas));
    apply(ApiResponse({ status: 200, description: 'It worked.', headers: cached(route.cacheControl), schema }));
    this.failures(route.errors, route.audience).forEach(apply);
  }

  /** The notice of the end, as a receiver gets it: OpenAPI 3.0 has no other place for it than the route that names one. */
  private callbacks(): ApiOperationOptions['callbacks'] {
    const schema = { $ref: getSchemaPath(this.schemas.notice) };
    const post = {
      summary: 'The task has ended',
      description:
        'Sent once for each end, and again until it is taken: `webhook-id` stays the same. Headers and signature are ' +
        'those of the Standard Webhooks specification.',
      security: [],
      requestBody: { required: true, content: { 'application/json': { schema } } },
      responses: {
        '2XX': { description: 'Taken. Every other answer is tried again for days, but for 410.' },
        '410': { description: 'Not wanted any more: it is not tried again.' },
      },
    };
    return { taskEnded: { '{$request.body#/callbackUrl}': { post } } };
  }

  /** A route that the host adds: our envelope, guard and filter are around it; what is inside is the host's to say. */
  addedRoute(Bound: Type, name: string, audience: Audience): void {
    const handler = (Bound.prototype as Handlers)[servedBy(name)]!;
    const apply = applierOf(Bound, servedBy(name));
    const operation = Reflect.getMetadata('swagger/apiOperation', handler) as ApiOperationOptions | undefined;
    apply(ApiOperation({ operationId: `${Bound.name}_${name}`, ...operation }));
    const documented = Object.keys((Reflect.getMetadata('swagger/apiResponse', handler) as object | undefined) ?? {});
    this.failures([], audience, documented).forEach(apply);
    if (documented.some((status) => status.startsWith('2'))) return;
    const isPost = Reflect.getMetadata(METHOD_METADATA, handler) === RequestMethod.POST;
    const status = (Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined) ?? (isPost ? 201 : 200);
    const schema = describeSuccess(new this.structure.response(), { description: 'What the handler answers.' });
    apply(ApiResponse({ status, description: 'It worked.', headers: NO_CACHE, schema }));
  }

  /** The parameters; the handler's DTO becomes this registration's, which validation goes by, too. */
  private input(proto: Handlers, route: RouteDefinition): MethodDecorator[] {
    const types = (Reflect.getMetadata('design:paramtypes', proto, servedBy(route.handler)) as unknown[]).map((type) =>
      type === CreateTaskDto ? this.dtos.create : type === UpdateTaskDto ? this.dtos.update : type,
    );
    Reflect.defineMetadata('design:paramtypes', types, proto, servedBy(route.handler));
    const dto = types.find((type): type is Type => typeof type === 'function' && type !== String && type !== Object);
    if (!dto) return [];
    if (route.method === RequestMethod.GET) return queryOf(dto);
    const body = this.body(dto, route);
    // Proxies drop bodies of DELETE.
    const query = route.method === RequestMethod.DELETE ? queryOf(dto, { required: false }) : [];
    return [ApiConsumes(...BODY_TYPES), body, ...query];
  }

  /** A list can only be said in JSON. */
  private body(dto: Type, { handler, listHandler }: RouteDefinition): MethodDecorator {
    const type = this.schemas.bodyOf(dto);
    const required = handler === 'create' || handler === 'reportMany';
    if (!listHandler) return ApiBody({ type, required });
    const one = { $ref: getSchemaPath(type) };
    const many = { type: 'array' as const, maxItems: LIMITS.creates, items: one };
    const models = ApiExtraModels(type);
    const schema = ApiBody({ required, schema: { oneOf: [one, many] } });
    return (target, key, descriptor) => {
      models(target, key, descriptor);
      schema(target, key, descriptor);
    };
  }

  private failures(own: readonly TaskErrorName[], audience: Audience, except: string[] = []): MethodDecorator[] {
    const { error, guards, cronGuards, response } = this.structure;
    const guarded = (audience === 'user' ? guards : (cronGuards ?? [])).length > 0;
    // A guard that says no, and nothing else, is INVALID_ACCESS.
    const names = [...new Set([...own, ...ANYWHERE, ...(guarded ? (['INVALID_ACCESS'] as const) : [])])];
    const httpCodes = [...new Set(names.map((name) => error[name].httpCode))];
    return httpCodes
      .filter((httpCode) => !except.includes(String(httpCode)))
      .map((httpCode) => {
        const group = names.filter((name) => error[name].httpCode === httpCode);
        return ApiResponse({
          status: httpCode,
          description: group.map((name) => `${name}: ${error[name].msg}.`).join(' '),
          headers: { ...NO_CACHE, ...headersOf(group.map((name) => error[name].headers)) },
          schema: describeFailure(new response(), group, error),
        });
      });
  }
}

const applierOf = (Bound: Type, name: string): ((decorator: MethodDecorator) => void) => {
  const proto = Bound.prototype as Handlers;
  return (decorator) => void decorator(proto, name, { value: proto[name] });
};

/** Headers of catalogue entries. */
const headersOf = (given: (Record<string, string> | undefined)[]): typeof NO_CACHE =>
  Object.fromEntries(
    given
      .flatMap((headers) => Object.entries(headers ?? {}))
      .map(([name, example]) => [
        name,
        {
          description: name === 'Retry-After' ? 'Seconds to wait before the next try.' : 'As the error catalogue says.',
          schema: { type: 'string', example },
        },
      ]),
  ) as typeof NO_CACHE;

/** A DTO's properties as query parameters. */
function queryOf(dto: Type, override: { required?: boolean } = {}): MethodDecorator[] {
  const proto = dto.prototype as object;
  const names = (Reflect.getMetadata('swagger/apiModelPropertiesArray', proto) as string[]).map((name) =>
    name.slice(1),
  );
  return names.map((name) => {
    const property = Reflect.getMetadata('swagger/apiModelProperties', proto, name) as ApiPropertyOptions;
    const {
      description,
      required,
      example,
      type,
      minimum,
      maximum,
      minLength,
      maxLength,
      default: preset,
    } = property as Record<string, any>;
    const schema = {
      type: type === 'integer' ? 'integer' : 'string',
      minimum,
      maximum,
      minLength,
      maxLength,
      default: preset,
      // In a query a list is the JSON text of one.
      example: Array.isArray(example) ? JSON.stringify(example) : example,
    };
    return ApiQuery({
      name,
      description,
      required: override.required ?? required ?? false,
      schema: withoutUndefined(schema),
    });
  });
}

const withoutUndefined = (object: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
