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
  "\n\nTo try it: **Authorize** with a user's and a worker's token, create a task, and go on from there. What needs a " +
  'task takes the one that this page saw last; reports take the one that was claimed here last.';

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
      // In a form a list is sent as its JSON text.
      for (const { value } of Object.values(media.examples ?? {}))
        if (Array.isArray(value.ids)) value.ids = JSON.stringify(value.ids);
    }
  return shown;
}

/** The parts of Swagger UI that are used here. */
interface SwaggerUi {
  specSelectors: { specJson(): { toJS(): OpenAPIObject } };
  specActions: {
    changeParam(where: PathMethod, name: string, kind: string, value: unknown, isXml: boolean): void;
    updateJsonSpec(document: OpenAPIObject): void;
  };
  oas3Actions: { setRequestBodyValue(body: { value: unknown; pathMethod: PathMethod }): void };
}

/** A task, or a task as a worker gets it. */
interface Seen {
  taskId?: string;
  task?: { taskId: string };
  leaseToken?: string;
}

/**
 * Runs in the page at each answer: puts the task of the answer into the requests that need one. Worker requests only
 * get claimed tasks, each with its token. The page receives this function as text, so it must not use anything outside
 * of it.
 */
export function rememberTask<T extends { body?: { data?: Seen & { list?: Seen[] } } }>(answer: T): T {
  const { specSelectors, specActions, oas3Actions } = (globalThis as unknown as { ui: SwaggerUi }).ui;
  const data = answer.body?.data;
  const { task, taskId = task?.taskId, leaseToken } = data?.list?.[0] ?? data ?? {};
  if (taskId === undefined) return answer;
  const known: Record<string, unknown> = { taskId, 'Lease-Token': leaseToken };
  const document = specSelectors.specJson().toJS();
  for (const [path, item] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(item as Record<string, Operation>)) {
      const { security = [], parameters = [], requestBody } = operation;
      if (leaseToken === undefined && security.some((scheme) => 'worker' in scheme)) continue;
      const where: PathMethod = [path, method];
      for (const { name, in: kind } of parameters)
        if (name in known && kind !== 'query') specActions.changeParam(where, name, kind, known[name], false);
      for (const { examples = {} } of Object.values(requestBody?.content ?? {}))
        for (const { value } of Object.values(examples)) {
          if (!Array.isArray(value.reports)) continue;
          Object.assign(value.reports[0] as object, { taskId, leaseToken });
          // The new example replaces the former text.
          specActions.updateJsonSpec(document);
          oas3Actions.setRequestBodyValue({ value: undefined, pathMethod: where });
        }
    }
  return answer;
}
