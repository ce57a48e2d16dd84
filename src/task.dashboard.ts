import { Logger } from '@nestjs/common';
import type { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { TaskOptionsError } from './contract/options.error.js';
import { serveDashboard } from './dashboard/dashboard.js';
import { isOperated } from './operator/operator.options.js';
import type { ResolvedTaskOptions } from './options/task.options.js';

/**
 * Serves the page for operators, if the options say where. Called after the routes of the app are there, which
 * therefore come first. Throws a TaskOptionsError if the path is taken, such as by another registration.
 */
export function openDashboard(
  options: ResolvedTaskOptions,
  { httpAdapter }: HttpAdapterHost,
  app: ApplicationConfig,
): void {
  const { name, dashboardUri } = options;
  // An application context, such as a command, serves no HTTP.
  if (dashboardUri === 'off' || !httpAdapter) return;
  if (!isOperated(options)) {
    new Logger('TaskModule').warn(
      `'${name}' serves no dashboard, because nobody could sign in; set the option operatorTokens or operatorGuards.`,
    );
    return;
  }
  const msg = serveDashboard(httpAdapter, app, options);
  if (msg) throw new TaskOptionsError(name, [{ option: 'dashboardUri', msg, value: dashboardUri }]);
}
