import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';

/**
 * The data source of a host that may fail to start. Nest goes on to build a module of which one part has failed, and
 * closes nothing of it: the connections would stay open, and no test process could end by itself.
 */
export class HostDataSource {
  private opening: Promise<DataSource> | undefined;
  private isAbandoned = false;

  /** For `TypeOrmModule.forRootAsync()`. */
  optionsOf(options: TypeOrmModuleOptions) {
    return {
      useFactory: () => options,
      dataSourceFactory: (given?: DataSourceOptions): Promise<DataSource> => {
        if (this.isAbandoned) return new Promise(() => undefined);
        return (this.opening = new DataSource(given!).initialize());
      },
    };
  }

  /** The host has not started. */
  async abandon(): Promise<void> {
    this.isAbandoned = true;
    const dataSource = await this.opening?.catch(() => undefined);
    await dataSource?.destroy();
  }
}
