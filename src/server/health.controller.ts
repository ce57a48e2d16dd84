import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, TypeOrmHealthIndicator } from '@nestjs/terminus';

@ApiTags('health')
@ApiResponse({ status: '4XX', description: 'What the HTTP server itself refuses, e.g. 431 for headers over 16 KiB.' })
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
  ) {}

  @ApiOperation({ summary: 'Whether the process answers at all', operationId: 'live', security: [] })
  @Get('live')
  @HealthCheck()
  live(): unknown {
    return this.health.check([]);
  }

  @ApiOperation({
    summary: 'Whether the process can do its work: the database answers',
    operationId: 'ready',
    security: [],
  })
  @Get('ready')
  @HealthCheck()
  ready(): unknown {
    return this.health.check([() => this.database.pingCheck('database', { timeout: 2000 })]);
  }
}
