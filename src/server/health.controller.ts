import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import { TaskService } from '../index.js';

@ApiTags('health')
@ApiResponse({ status: '4XX', description: 'What the HTTP server itself refuses, e.g. 431 for headers over 16 KiB.' })
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly tasks: TaskService,
  ) {}

  @ApiOperation({ summary: 'Whether the process answers at all', operationId: 'live', security: [] })
  @Get('live')
  @HealthCheck()
  live(): unknown {
    return this.health.check([]);
  }

  @ApiOperation({
    summary: 'Whether the process can do its work: the database takes its writes',
    operationId: 'ready',
    security: [],
  })
  @Get('ready')
  @HealthCheck()
  ready(): unknown {
    return this.health.check([() => this.database()]);
  }

  private async database(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('database');
    return this.tasks.ping().then(
      () => indicator.up(),
      () => indicator.down('takes no writes of the queue now'),
    );
  }
}
