import { ConsoleLogger } from '@nestjs/common';

/** Nest's own log of its assembly at start, which does not help an operator. */
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
