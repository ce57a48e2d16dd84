import type { Type } from '@nestjs/common';
import { RequestMethod } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOperation,
  type ApiOperationOptions,
  ApiParam,
  ApiProperty,
  type ApiPropertyOptions,
  ApiQuery,
  ApiResponse,
  type ApiResponseOptions,
  ApiSchema,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { TaskErrorName } from '../contract/errors.js';
import type { TaskResponse } from '../contract/response.js';
import type { TaskStructure } from '../task.options.js';
import { CreateTaskDto } from './dto/create-task.dto.js';
import type { TaskDtos } from './dto/index.js';
import { UpdateTaskDto } from './dto/update-task.dto.js';
import type { RouteDefinition } from './routes.js';

type Schema = NonNullable<Extract<ApiResponseOptions, { schema: unknown }>['schema']>;

/** Failures of every route, by handler. Any route may also be UNAVAILABLE. */
const BODY_ERRORS: TaskErrorName[] = ['INVALID_PARAM', 'TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'INVALID_TOKEN'];
const ERRORS: Record<string, TaskErrorName[]> = {
  create: BODY_ERRORS,
  list: ['INVALID_PARAM', 'INVALID_TOKEN'],
  remove: BODY_ERRORS,
  get: ['NOT_FOUND', 'INVALID_ACCESS', 'INVALID_TOKEN'],
  update: [...BODY_ERRORS, 'NOT_FOUND', 'INVALID_STATE'],
  claim: ['INVALID_PARAM', 'INVALID_TOKEN'],
  report: [...BODY_ERRORS, 'NOT_FOUND', 'INVALID_STATE'],
};

const OPERATION_IDS: Record<string, string> = {
  create: 'createTask',
  list: 'listTasks',
  remove: 'removeTasks',
  get: 'getTask',
  update: 'updateTask',
  updateByPost: 'updateTaskByPost',
  claim: 'claimTask',
  report: 'reportTask',
  reportByPost: 'reportTaskByPost',
};

const SCHEMA_TYPES = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];

/** Puts what a route of this registration takes and gives into its metadata, for @nestjs/swagger to read. */
export function documentRoute(Bound: Type, route: RouteDefinition, structure: TaskStructure, dtos: TaskDtos): void {
  const proto = Bound.prototype as Record<string, () => unknown>;
  const handler = proto[route.handler]!;
  const models = schemasOf(structure);
  const source = route.aliasOf ?? route.handler;
  const apply = (decorator: MethodDecorator) => decorator(proto, route.handler, { value: handler });

  const types = (Reflect.getMetadata('design:paramtypes', proto, route.handler) as unknown[]).map((type) =>
    type === CreateTaskDto ? dtos.create : type === UpdateTaskDto ? dtos.update : type,
  );
  Reflect.defineMetadata('design:paramtypes', types, proto, route.handler);
  const input = types.find((type): type is Type => typeof type === 'function' && type !== String && type !== Object);

  const operation = Reflect.getMetadata('swagger/apiOperation', handler) as ApiOperationOptions | undefined;
  apply(ApiOperation({ ...operation, operationId: OPERATION_IDS[route.handler]! + models.suffix }));
  apply(ApiTags(route.audience === 'user' ? `tasks${models.suffix}` : `crontask${models.suffix}`));
  apply(ApiBearerAuth(route.audience));
  apply(ApiExtraModels(models.task, models.cronTask));
  if (structure[route.uri].includes('{taskId}'))
    apply(
      ApiParam({ name: 'taskId', description: 'Id of the task.', schema: { type: 'string' }, example: EXAMPLE_ID }),
    );
  if (input && route.method === RequestMethod.GET) queryOf(input).forEach((query) => apply(ApiQuery(query)));
  else if (input) {
    apply(ApiConsumes(...SCHEMA_TYPES));
    apply(ApiBody({ type: input }));
  }
  const envelope = new structure.response();
  apply(ApiResponse({ status: 200, description: 'It worked.', schema: describe(envelope, dataOf(source, models)) }));
  for (const [httpCode, names] of byHttpCode([...(ERRORS[source] ?? []), 'UNAVAILABLE'], structure))
    apply(
      ApiResponse({
        status: httpCode,
        description: names.map((name) => `${name}: ${structure.error[name].msg}.`).join(' '),
        schema: describeFailure(envelope, names, structure),
      }),
    );
}

const EXAMPLE_ID = '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c';

interface Models {
  suffix: string;
  task: Type;
  cronTask: Type;
}

/** Classes below the host's entity, so that its columns are documented and it is not written to. */
function schemasOf(structure: TaskStructure): Models {
  const suffix = structure.name === 'default' ? '' : `_${structure.name}`;
  const { status } = structure;
  class TaskSchema extends structure.entity {
    @ApiProperty({
      type: 'integer',
      description: `Where the task is in its life: ${Object.entries(status)
        .map(([name, value]) => `${value} ${name}`)
        .join(', ')}.`,
      example: status.BEGIN,
    })
    declare status: number;
  }
  ApiSchema({ name: `task${suffix}` })(TaskSchema);
  class WorkerTaskSchema extends TaskSchema {
    @ApiProperty({
      description: "The callback's address; empty where there is none.",
      example: 'https://example.com/done',
    })
    declare callbackUrl: string;
  }
  ApiSchema({ name: `workerTask${suffix}` })(WorkerTaskSchema);
  class CronTaskSchema {
    @ApiProperty({ type: WorkerTaskSchema })
    declare task: unknown;
    @ApiProperty({
      description: "The callback's address, under the original's name for it.",
      example: 'https://example.com/done',
    })
    declare updateUrl: string;
  }
  ApiSchema({ name: `cronTask${suffix}` })(CronTaskSchema);
  return { suffix, task: TaskSchema, cronTask: CronTaskSchema };
}

function dataOf(handler: string, { suffix }: Models): Schema {
  const task = { $ref: getSchemaPath(`task${suffix}`) };
  const cronTask = { $ref: getSchemaPath(`cronTask${suffix}`) };
  const object = (properties: Record<string, Schema>): Schema => ({
    type: 'object',
    required: Object.keys(properties),
    properties,
  });
  const ids: Schema = { type: 'array', items: { type: 'string' } };
  switch (handler) {
    case 'list':
      return object({ list: { type: 'array', items: task } });
    case 'remove':
      return object({
        deleted: { ...ids, description: 'Ids of the tasks that were deleted.' },
        notDeleted: {
          type: 'array',
          description: 'Tasks that were not, each with the code and text of the reason.',
          items: object({ taskId: { type: 'string' }, code: { type: 'integer' }, msg: { type: 'string' } }),
        },
      });
    case 'claim':
      return { oneOf: [cronTask, { type: 'array', maxItems: 0, items: {}, description: 'Nothing to do.' }] };
    case 'report':
      return cronTask;
    default:
      return task;
  }
}

/** A DTO's properties as query parameters. */
function queryOf(dto: Type): Parameters<typeof ApiQuery>[0][] {
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
    } = {
      ...(property as Record<string, unknown>),
    } as Record<string, never>;
    const schema = omitUndefined({
      type: type === 'integer' ? 'integer' : 'string',
      minimum,
      maximum,
      minLength,
      maxLength,
      default: preset,
    });
    return { name, description, required: required ?? false, example, schema } as Parameters<typeof ApiQuery>[0];
  });
}

const omitUndefined = (object: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

function byHttpCode(names: TaskErrorName[], structure: TaskStructure): Map<number, TaskErrorName[]> {
  const grouped = new Map<number, TaskErrorName[]>();
  for (const name of names) {
    const { httpCode } = structure.error[name];
    grouped.set(httpCode, [...(grouped.get(httpCode) ?? []), name]);
  }
  return grouped;
}

/** Something put into the envelope, to see where it comes out. */
interface Slot {
  value: unknown;
  schema: Schema;
  optional?: boolean;
}

/** The envelope is what the response class makes of the data: a schema that stands in its place comes out there. */
const describe = (envelope: TaskResponse, data: Schema): Schema =>
  describeValue(envelope.success(data), { value: data, schema: data });

function describeFailure(envelope: TaskResponse, names: TaskErrorName[], { error }: TaskStructure): Schema {
  const { code, msg } = error[names[0]!];
  const detail = { description: 'What is wrong, e.g. the offending fields, each with its rule.' };
  const body = envelope.failure({ code, msg, detail });
  const codes = names.map((name) => `${error[name].code} ${name}`).join(', ');
  return { ...describeValue(body, { value: detail, schema: detail, optional: true }), description: `Codes: ${codes}.` };
}

function describeValue(value: unknown, slot: Slot): Schema {
  if (value === slot.value) return slot.schema;
  if (Array.isArray(value)) return { type: 'array', items: value.length > 0 ? describeValue(value[0], slot) : {} };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    const required = entries.filter(([, inner]) => !(slot.optional && inner === slot.value));
    return {
      type: 'object',
      required: required.map(([name]) => name),
      properties: Object.fromEntries(entries.map(([name, inner]) => [name, describeValue(inner, slot)])),
    };
  }
  if (typeof value === 'number') return { type: Number.isInteger(value) ? 'integer' : 'number', example: value };
  if (typeof value === 'boolean') return { type: 'boolean', example: value };
  return { type: 'string', example: String(value) };
}
