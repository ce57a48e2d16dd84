import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { documentForPage, rememberTask } from './docs-page.js';
import { VERSION } from './version.js';

/** The OpenAPI document of a host's app with the queue. */
export function buildDocument(app: INestApplication, server?: string): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.0.3')
    .setTitle('@softdd/task')
    .setDescription(
      'A durable task queue: frontends create tasks and watch them, workers in any language pull them and report. ' +
        'POST, PUT and DELETE take JSON, urlencoded and multipart bodies alike, and query parameters beside them (the body wins).',
    )
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', description: "A user's token: `npm run token -- alice` prints one." },
      'user',
    )
    .addSecurity('worker', {
      type: 'http',
      scheme: 'bearer',
      description: "A worker's token: one of TASK_WORKER_TOKENS, or the one that the first start printed.",
    })
    .addSecurity('operator', {
      type: 'http',
      scheme: 'bearer',
      description:
        "An operator's token: one of TASK_OPERATOR_TOKENS or TASK_OPERATOR_READ_TOKENS, or the one that the first start printed.",
    })
    .addTag('tasks', 'For users: create tasks and watch them.')
    .addTag('crontask', 'For workers: claim tasks and report on them.')
    .addTag('operator', 'For operators: see tasks of all owners, services, workers and callbacks, and act on them.')
    .addTag('health', 'For probes.')
    .addServer(server ?? '/');
  return SwaggerModule.createDocument(app, builder.build());
}

/** Serves it as a page at /docs, and as JSON at /docs-json. */
export function serveDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => buildDocument(app), { ui: false, jsonDocumentUrl: 'docs-json' });
  SwaggerModule.setup('docs', app, () => documentForPage(buildDocument(app)), {
    raw: false,
    swaggerOptions: { responseInterceptor: rememberTask },
  });
}
