import type { ServerConfig } from './config.js';
import { type Secrets, secretsFile, userToken } from './secrets.js';

/** Commands for a newcomer to paste. Secrets show only at the start that created them. */
export async function banner(
  url: string,
  { jwtSecret, workerTokens, operatorTokens, made }: Secrets,
  config: ServerConfig,
): Promise<string> {
  const source = (option: 'workerTokens' | 'operatorTokens', name: string, variable: string): string =>
    config.task[option]?.length
      ? `…   (one of ${variable})`
      : `$(node -p 'JSON.parse(fs.readFileSync("${secretsFile(config)}")).${name}')`;
  const user = made.jwtSecret ? await userToken(jwtSecret, 'alice') : '$USER_TOKEN';
  const worker = made.workerTokens ? workerTokens[0]! : '$WORKER_TOKEN';
  const tokens = [
    made.jwtSecret
      ? `User token       ${user}   (alice, 30 days; for another: npm run token -- bob)`
      : 'User token       export USER_TOKEN=$(npm run --silent token -- alice)',
    made.workerTokens
      ? `Worker token     ${worker}`
      : `Worker token     export WORKER_TOKEN=${source('workerTokens', 'workerToken', 'TASK_WORKER_TOKENS')}`,
    ...(operatorTokens.length === 0
      ? []
      : [
          made.operatorTokens
            ? `Operator token   ${operatorTokens[0]!}`
            : `Operator token   export OPERATOR_TOKEN=${source('operatorTokens', 'operatorToken', 'TASK_OPERATOR_TOKENS')}`,
        ]),
  ];
  const { dashboardUri = operatorTokens.length > 0 || config.task.operatorReadTokens?.length ? '/' : 'off' } =
    config.task;
  const dashboard = dashboardUri === 'off' ? '' : `Dashboard        ${url}${dashboardUri}\n`;
  return `
@softdd/task     ${url}
${dashboard}OpenAPI page     ${url}/docs
${tokens.join('\n')}

Create a task, ready to be worked:
  curl -s ${url}/api/tasks -H 'Authorization: Bearer ${user}' -F input=hello -F status=10

Claim it, as a worker:
  TASK=$(curl -s ${url}/api/crontask -H 'Authorization: Bearer ${worker}' | sed -n 's/.*"taskId":"\\([^"]*\\)".*/\\1/p') && echo $TASK

Finish it:
  curl -s -X PUT ${url}/api/crontask/$TASK -H 'Authorization: Bearer ${worker}' -F status=30 -F output=done

`.replaceAll(/'Authorization: Bearer (\$\w+)'/g, '"Authorization: Bearer $1"');
}
