import { RequestMethod, type Type } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  type ApiOperationOptions,
  ApiParam,
  ApiResponse,
  type ApiResponseOptions,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { TaskErrorName } from '../../contract/errors.js';
import { WAIT_HEADER } from '../../protocol/wire.types.js';
import type { RouteStructure } from '../http.options.js';
import { CreateTaskDto } from '../dto/create-task.dto.js';
import type { TaskDtos } from '../dto/index.js';
import { UpdateTaskDto } from '../dto/update-task.dto.js';
import { ANSWER_SCHEMAS } from './answer-schemas.js';
import { describeFailure, describeSuccess } from './envelope.js';
import { headerDoc } from '../request/headers.js';
import { exampleOf, queryOf } from './query-parameters.js';
import { createSchemas, type TaskSchemas } from './schemas.js';
import { AUDIENCES } from '../binding/audiences.js';
import { NEST, setTypes, SWAGGER, typesOf } from '../binding/nest-internals.js';
import { type Audience, pathOf, type RouteDefinition, servedBy } from '../binding/route-definition.js';
import { BOUNDS, type PriorityRange } from '../../validation/rules.js';

/** Failures that every route may answer. */
const ANYWHERE: TaskErrorName[] = ['INVALID_TOKEN', 'UNAVAILABLE', 'INTERNAL'];

const BODY_TYPES = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];
const cached = (example: string) => ({
  'Cache-Control': { description: 'Forbids caches to reuse the answer.', schema: { type: 'string', example } },
});
const NO_CACHE = cached('no-cache');
const WAITS = {
  [WAIT_HEADER]: {
    description:
      'Why there is no task: the service is paused, as many of its tasks run as may, or its rate is used up. Absent ' +
      'if there is a task, or if none is ready.',
    schema: { type: 'string' as const, enum: ['paused', 'limit', 'rate'], example: 'limit' },
  },
};

/** Parameters in the paths, by name. */
const PATH_PARAMETERS = {
  taskId: { description: 'Id of the task.', schema: { type: 'string', maxLength: 36 } },
  bulkId: { description: 'Id of the bulk change.', schema: { type: 'string', maxLength: 36 } },
  batchId: { description: 'Id of the batch.', schema: { type: 'string', maxLength: 36 } },
  service: { description: 'Name of the service.', schema: { type: 'string', maxLength: BOUNDS.nameLength } },
  key: {
    description: 'Key of the schedule.',
    schema: { type: 'string', minLength: 1, maxLength: BOUNDS.scheduleKeyLength },
  },
  id: { description: 'Id of the callback.', schema: { type: 'string', maxLength: 36 } },
};

type Handlers = Record<string, () => unknown>;

/** Describes parameters and answers of the routes in their metadata, where @nestjs/swagger finds them. */
export class RouteDocs {
  private readonly schemas: TaskSchemas;
  /** Our DTOs, each with the one that this registration uses instead. */
  private readonly ownDtos: ReadonlyMap<unknown, Type>;

  constructor(
    private readonly structure: RouteStructure,
    dtos: TaskDtos,
    priority: PriorityRange,
  ) {
    this.schemas = createSchemas(structure, dtos, priority);
    this.ownDtos = new Map<unknown, Type>([
      [CreateTaskDto, dtos.create],
      [UpdateTaskDto, dtos.update],
    ]);
  }

  /** For all handlers, including those that the host adds. */
  controller(Bound: Type, audience: Audience): void {
    const { tag, security } = AUDIENCES[audience];
    ApiTags(tag + this.schemas.suffix)(Bound);
    ApiBearerAuth(security)(Bound);
    const { task, created, operatorTask, cronTask, claimed, notice } = this.schemas;
    ApiExtraModels(task, created, operatorTask, cronTask, claimed, notice)(Bound);
  }

  /** A route of the route table. */
  route(Bound: Type, route: RouteDefinition): void {
    const proto = Bound.prototype as Handlers;
    const served = servedBy(route.handler);
    const handler = proto[served]!;
    const apply = applierOf(Bound, served);

    const operation = Reflect.getMetadata(SWAGGER.operation, handler) as ApiOperationOptions | undefined;
    const callbacks = route.hasCallback ? { callbacks: this.callbacks() } : {};
    apply(ApiOperation({ ...operation, ...callbacks, operationId: route.operationId + this.schemas.suffix }));
    const path = pathOf(route, this.structure);
    for (const [name, { description, schema }] of Object.entries(PATH_PARAMETERS))
      if (path.includes(`{${name}}`))
        apply(ApiParam({ name, description, schema: { ...schema, example: route.examples?.[name] } }));
    this.input(proto, route).forEach(apply);
    for (const name of route.headers ?? []) {
      const doc = headerDoc(name);
      if (doc) apply(ApiHeader({ name, required: false, ...doc }));
    }
    apply(ApiResponse(this.success(route)));
    this.failures(route.errors, route.audience).forEach(apply);
  }

  private success({ answer, cacheControl }: RouteDefinition): ApiResponseOptions {
    const schema = ANSWER_SCHEMAS[answer](this.schemas);
    const headers = answer === 'claim' ? { ...cached(cacheControl), ...WAITS } : cached(cacheControl);
    const worked = { status: 200, description: 'Success.', headers };
    if (answer === 'events') return { ...worked, content: { 'text/event-stream': { schema } } };
    if (answer === 'metrics') return { ...worked, content: { 'text/plain': { schema } } };
    return { ...worked, schema: describeSuccess(new this.structure.response(), schema) };
  }

  /** The notice that a callback receives. OpenAPI 3.0 describes it at the route that takes the callback's address. */
  private callbacks(): ApiOperationOptions['callbacks'] {
    const schema = { $ref: getSchemaPath(this.schemas.notice) };
    const post = {
      summary: 'The task has ended',
      description:
        'The server sends it each time the task ends, and repeats it with the same `webhook-id` until the receiver ' +
        'accepts it. Headers and signature follow the Standard Webhooks specification.',
      security: [],
      requestBody: { required: true, content: { 'application/json': { schema } } },
      responses: {
        '2XX': { description: 'Accepted. After any other answer except 410 the server tries again, for days.' },
        '410': { description: 'The receiver does not want this notice any more: the server does not try again.' },
      },
    };
    return { taskEnded: { '{$request.body#/callbackUrl}': { post } } };
  }

  /** A route that the host adds. Our envelope, guard and filter apply to it; the host documents the rest. */
  addedRoute(Bound: Type, name: string, audience: Audience): void {
    const handler = (Bound.prototype as Handlers)[servedBy(name)]!;
    const apply = applierOf(Bound, servedBy(name));
    const operation = Reflect.getMetadata(SWAGGER.operation, handler) as ApiOperationOptions | undefined;
    apply(ApiOperation({ operationId: `${Bound.name}_${name}`, ...operation }));
    const documented = Object.keys((Reflect.getMetadata(SWAGGER.responses, handler) as object | undefined) ?? {});
    this.failures([], audience, documented).forEach(apply);
    if (documented.some((status) => status.startsWith('2'))) return;
    const isPost = Reflect.getMetadata(NEST.method, handler) === RequestMethod.POST;
    const status = (Reflect.getMetadata(NEST.httpCode, handler) as number | undefined) ?? (isPost ? 201 : 200);
    const schema = describeSuccess(new this.structure.response(), { description: 'What the handler returns.' });
    apply(ApiResponse({ status, description: 'Success.', headers: NO_CACHE, schema }));
  }

  /** The parameters. The handler's DTO becomes the one of this registration, which validation uses, too. */
  private input(proto: Handlers, route: RouteDefinition): MethodDecorator[] {
    const served = servedBy(route.handler);
    const own = this.ownDtos.get(route.input);
    const types = typesOf(proto, served)!.map((type) => (own && type === route.input ? own : type));
    setTypes(proto, served, types);
    // A host that decorates its handler again may use another DTO.
    const dto = types.find((type): type is Type => typeof type === 'function' && type !== String && type !== Object);
    if (!route.input || !dto) return [];
    if (route.method === RequestMethod.GET) return queryOf(dto);
    const body = this.body(dto, route);
    // Some proxies drop the body of a DELETE.
    const query = route.method === RequestMethod.DELETE ? queryOf(dto, { besideBody: true }) : [];
    return [ApiConsumes(...BODY_TYPES), body, ...query];
  }

  /** Only a JSON body can be a list. */
  private body(dto: Type, { needsBody: required = false, listHandler }: RouteDefinition): MethodDecorator {
    const type = this.schemas.bodyOf(dto);
    const examples = { least: { summary: 'What is needed', value: exampleOf(type) } };
    if (!listHandler) return ApiBody({ type, required, examples });
    const one = { $ref: getSchemaPath(type) };
    const many = { type: 'array' as const, maxItems: BOUNDS.creates, items: one };
    const models = ApiExtraModels(type);
    const schema = ApiBody({ required, schema: { oneOf: [one, many] }, examples });
    return (target, key, descriptor) => {
      models(target, key, descriptor);
      schema(target, key, descriptor);
    };
  }

  private failures(own: readonly TaskErrorName[], audience: Audience, except: string[] = []): MethodDecorator[] {
    const { error, response } = this.structure;
    const guarded = (this.structure[AUDIENCES[audience].guards] ?? []).length > 0;
    // A guard that only returns false leads to INVALID_ACCESS.
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

/** The headers of entries in the error catalogue. */
const headersOf = (given: (Record<string, string> | undefined)[]): typeof NO_CACHE =>
  Object.fromEntries(
    given
      .flatMap((headers) => Object.entries(headers ?? {}))
      .map(([name, example]) => [
        name,
        {
          description: name === 'Retry-After' ? 'Seconds to wait before the next try.' : 'From the error catalogue.',
          schema: { type: 'string', example },
        },
      ]),
  ) as typeof NO_CACHE;
