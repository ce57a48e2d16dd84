import { type Secrets, userToken } from './secrets.js';

/** Commands for a newcomer to paste. Secrets show only at the start that created them. */
export async function banner(
  url: string,
  { jwtSecret, workerTokens, made }: Secrets,
  /** The file with the worker token. undefined if the token was given. */
  file: string | undefined,
): Promise<string> {
  const workerSource =
    file === undefined
      ? '…   (one of TASK_WORKER_TOKENS)'
      : `$(node -p 'JSON.parse(fs.readFileSync("${file}")).workerToken')`;
  const user = made.jwtSecret ? await userToken(jwtSecret, 'alice') : '$USER_TOKEN';
  const worker = made.workerTokens ? workerTokens[0]! : '$WORKER_TOKEN';
  const tokens = [
    made.jwtSecret
      ? `User token     ${user}   (alice, 30 days; for another: npm run token -- bob)`
      : 'User token     export USER_TOKEN=$(npm run --silent token -- alice)',
    made.workerTokens ? `Worker token   ${worker}` : `Worker token   export WORKER_TOKEN=${workerSource}`,
  ];
  return `
@softdd/task     ${url}
OpenAPI page     ${url}/docs
${tokens.map((line) => line.replace('   ', '     ')).join('\n')}

Create a task, ready to be worked:
  curl -s ${url}/api/tasks -H 'Authorization: Bearer ${user}' -F input=hello -F status=10

Claim it, as a worker:
  TASK=$(curl -s ${url}/api/crontask -H 'Authorization: Bearer ${worker}' | sed -n 's/.*"taskId":"\\([^"]*\\)".*/\\1/p') && echo $TASK

Finish it:
  curl -s -X PUT ${url}/api/crontask/$TASK -H 'Authorization: Bearer ${worker}' -F status=30 -F output=done

`.replaceAll(/'Authorization: Bearer (\$\w+)'/g, '"Authorization: Bearer $1"');
}
