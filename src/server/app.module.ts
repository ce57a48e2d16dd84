import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TaskModule } from '../task.module.js';
import type { ServerConfig } from './config.js';
import { HealthController } from './health.controller.js';
import { JwtGuard } from './jwt.guard.js';
import type { Secrets } from './secrets.js';

/** The reference host: what any NestJS app would do to have the queue. */
@Module({})
export class AppModule {
  static forRoot({ database, task }: ServerConfig, { jwtSecret, workerTokens }: Secrets): DynamicModule {
    return {
      module: AppModule,
      imports: [
        // One try: an operator's mistake shall show at once, and who restarts the process will try again.
        TypeOrmModule.forRoot({ ...database, autoLoadEntities: true, retryAttempts: 1 }),
        TaskModule.forRoot({ ...task, workerTokens, guards: [new JwtGuard(jwtSecret)] }),
        TerminusModule.forRoot({ logger: false }),
      ],
      controllers: [HealthController],
    };
  }
}
