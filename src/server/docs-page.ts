import type { OpenAPIObject } from '@nestjs/swagger';

type PathMethod = [path: string, method: string];

/** The parts of an operation that are used here. */
interface Operation {
  security?: object[];
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, Media> };
}

interface Media {
  schema: object;
  examples?: Record<string, { value: Record<string, unknown> }>;
}

const operationsOf = ({ paths }: OpenAPIObject): Operation[] =>
  Object.values(paths).flatMap((item) => Object.values(item as Record<string, Operation>));

const HOW_TO_TRY =
  "\n\nTo try it: **Authorize** with a user's, a worker's and an operator's token, create a task, and go on from there. " +
  'What needs a task, a service, a bulk, a schedule, a batch or a callback takes the one that this page saw last; ' +
  'reports take the task that was claimed here last. A batch takes more tasks if it was created with `"seal": false`.';

/**
 * The document for Swagger UI. For a form Swagger UI ignores the example, and invents a value for each property that it
 * finds. Below `oneOf` it finds none, and shows the example as text, which it then sends as a form.
 */
export function documentForPage(document: OpenAPIObject): OpenAPIObject {
  const shown = structuredClone(document);
  shown.info.description += HOW_TO_TRY;
  for (const { requestBody } of operationsOf(shown))
    for (const [type, media] of Object.entries(requestBody?.content ?? {})) {
      if (type === 'application/json') continue;
      media.schema = { oneOf: [media.schema] };
      // In a form a list or an object is sent as its JSON text.
      for (const { value } of Object.values(media.examples ?? {}))
        for (const name of ['ids', 'filter', 'task', 'tasks', 'then'])
          if (typeof value[name] === 'object') value[name] = JSON.stringify(value[name]);
    }
  return shown;
}

/** The parts of Swagger UI that are used here. */
interface SwaggerUi {
  getState(): { getIn(path: string[]): unknown };
  specSelectors: { specJson(): { toJS(): OpenAPIObject } };
  specActions: {
    changeParam(where: PathMethod, name: string, kind: string, value: unknown, isXml: boolean): void;
    updateJsonSpec(document: OpenAPIObject): void;
  };
  oas3Actions: { setRequestBodyValue(body: { value: unknown; pathMethod: PathMethod }): void };
}

/** What an answer may show: a task, a task as a worker gets it, a bulk, a schedule, a batch, a callback, a service. */
interface Seen {
  taskId?: string;
  service?: string;
  task?: { taskId: string; service: string };
  leaseToken?: string;
  bulkId?: string;
  batchId?: string;
  /** Of a schedule. */
  key?: string;
  userId?: string | null;
  id?: string;
  callbacks?: { id: string }[];
}

/**
 * Runs in the page at each answer: puts what the answer shows into the requests that need it, such as the task or the
 * callback. Worker requests only get claimed tasks, each with its token, and users no bulk of operators. The key of a
 * schedule is unique only for its owner, so operators get both. The page receives this function as text, so it must not
 * use anything outside of it.
 */
export function rememberTask<T extends { body?: { data?: Seen & { list?: Seen[] } } }>(answer: T): T {
  const { ui } = globalThis as unknown as { ui: SwaggerUi };
  const { specSelectors, specActions, oas3Actions } = ui;
  const data = answer.body?.data;
  const seen = data?.list?.[0] ?? data ?? {};
  const { leaseToken, bulkId, batchId, key, userId, callbacks = [] } = seen;
  const { taskId, service } = seen.task ?? seen;
  const id = seen.id ?? callbacks[0]?.id;
  const found = { taskId, service, bulkId, batchId, key, id, 'Lease-Token': leaseToken };
  const known = Object.fromEntries(Object.entries(found).filter(([, value]) => typeof value === 'string'));
  if (Object.keys(known).length === 0) return answer;
  const document = specSelectors.specJson().toJS();
  const newBodies: PathMethod[] = [];
  for (const [path, item] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(item as Record<string, Operation>)) {
      const { security = [], parameters = [], requestBody } = operation;
      const isFor = (audience: string): boolean => security.some((scheme) => audience in scheme);
      if (leaseToken === undefined && isFor('worker')) continue;
      if (bulkId !== undefined && userId === null && isFor('user')) continue;
      const where: PathMethod = [path, method];
      const isOwned = key !== undefined && typeof userId === 'string' && path.includes('{key}');
      const values: Record<string, unknown> = isOwned ? { ...known, userId } : known;
      for (const { name, in: kind } of parameters) {
        if (!(name in values) || (kind === 'query' && name !== 'userId')) continue;
        const shown = ui
          .getState()
          .getIn(['spec', 'meta', 'paths', ...where, 'parameters', `${kind}.${name}`, 'value']);
        if (shown !== values[name]) specActions.changeParam(where, name, kind, values[name], false);
      }
      const before = JSON.stringify(requestBody);
      for (const { examples = {} } of Object.values(requestBody?.content ?? {}))
        for (const { value } of Object.values(examples))
          if (Array.isArray(value.reports) && leaseToken !== undefined)
            Object.assign(value.reports[0] as object, { taskId, leaseToken });
          else if (isOwned && 'userId' in value) value.userId = userId;
      if (JSON.stringify(requestBody) !== before) newBodies.push(where);
    }
  // Both make Swagger UI draw the operations again. The new example replaces the former text.
  if (newBodies.length > 0) specActions.updateJsonSpec(document);
  for (const pathMethod of newBodies) oas3Actions.setRequestBodyValue({ value: undefined, pathMethod });
  return answer;
}
