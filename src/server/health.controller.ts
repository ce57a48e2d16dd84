import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService } from '@nestjs/terminus';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import { TaskService } from '../index.js';

@ApiTags('health')
@ApiResponse({ status: '4XX', description: 'What the HTTP server itself refuses, e.g. 431 for headers over 16 KiB.' })
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly tasks: TaskService,
  ) {}

  @ApiOperation({ summary: 'Whether the process answers at all', operationId: 'live', security: [] })
  @Get('live')
  @HealthCheck()
  live(): unknown {
    return this.health.check([]);
  }

  @ApiOperation({
    summary: 'Whether the process can do its work',
    description:
      'Each part is `up`, or `down` with a `message`: `database` (it takes the writes of the queue), `schema` (its tables ' +
      'and columns are there), `process` (it is not stopping).',
    operationId: 'ready',
    security: [],
  })
  @Get('ready')
  @HealthCheck()
  ready(): unknown {
    return this.health.check([() => this.parts()]);
  }

  /** Each part of the queue is an indicator of its own. */
  private async parts(): Promise<HealthIndicatorResult> {
    const { parts } = await this.tasks.readiness();
    return Object.fromEntries(
      Object.entries(parts).map(([part, said]) => [
        part,
        said === 'ok' ? { status: 'up' as const } : { status: 'down' as const, message: said },
      ]),
    );
  }
}
