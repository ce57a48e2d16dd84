import { ConsoleLogger } from '@nestjs/common';

/** What Nest says of its own assembly at start: no operator's concern. */
const ASSEMBLY = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);

export const inProduction = (): boolean => process.env.NODE_ENV === 'production';

/** Nest's logger: coloured lines, or JSON in production. */
export class ServerLogger extends ConsoleLogger {
  constructor() {
    super({ json: inProduction() });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (!ASSEMBLY.has(String(rest.at(-1)))) super.log(message, ...(rest as [string]));
  }
}
