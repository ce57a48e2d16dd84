import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule);
app.enableShutdownHooks();
const description = new DocumentBuilder()
  .setTitle('Videos')
  .addBearerAuth({ type: 'http', scheme: 'bearer' }, 'user')
  .addBearerAuth({ type: 'http', scheme: 'bearer' }, 'worker')
  .build();
SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, description));
await app.listen(process.env.PORT ?? 3000, '127.0.0.1');
console.log(`listening on ${await app.getUrl()}`);
