import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TaskModule } from '../index.js';
import type { ServerConfig } from './config.js';
import { HealthController } from './health.controller.js';
import { JwtGuard } from './jwt.guard.js';
import type { Secrets } from './secrets.js';

/** The reference host: the same as any NestJS app with the queue. */
@Module({})
export class AppModule {
  static forRoot(
    { database, task }: ServerConfig,
    { jwtSecret, workerTokens, operatorTokens }: Secrets,
  ): DynamicModule {
    const isOperated = operatorTokens.length > 0 || (task.operatorReadTokens ?? []).length > 0;
    return {
      module: AppModule,
      imports: [
        // One attempt, so that an operator's mistake shows at once. The supervisor of the process tries again.
        TypeOrmModule.forRoot({ ...database, autoLoadEntities: true, retryAttempts: 1 }),
        TaskModule.forRoot({
          schedules: true,
          scheduleUri: task.schedules === false ? 'off' : '/api/schedules',
          batchUri: '/api/batches',
          dashboardUri: isOperated ? '/' : 'off',
          ...task,
          workerTokens,
          operatorTokens,
          guards: [new JwtGuard(jwtSecret)],
        }),
        TerminusModule.forRoot({ logger: false }),
      ],
      controllers: [HealthController],
    };
  }
}
