import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** The OpenAPI document of a host's app with the queue in it. */
export function buildDocument(app: INestApplication, server?: string): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.0.3')
    .setTitle('@softdd/task')
    .setDescription(
      'A durable task queue: frontends create tasks and watch them, workers in any language pull them and report. ' +
        'POST, PUT and DELETE take JSON, urlencoded and multipart bodies alike, and query parameters beside them (the body wins).',
    )
    .setVersion('1.0.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: "A user's token." }, 'user')
    .addSecurity('worker', { type: 'http', scheme: 'bearer', description: "A worker's token." })
    .addTag('tasks', 'For users: create tasks and watch them.')
    .addTag('crontask', 'For workers: claim tasks and report on them.')
    .addTag('health', 'For operators.')
    .addServer(server ?? '/');
  return SwaggerModule.createDocument(app, builder.build());
}

/** Shows it as a page at /docs, and as JSON at /docs-json. */
export function serveDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => buildDocument(app), { jsonDocumentUrl: 'docs-json' });
}
