import { SETTINGS } from '../api/settings.js';
import { codeOf } from '../status.js';
import { t } from '../words/index.js';
import { Code } from './code.js';
import { Empty } from './state.js';

/** What to do in a queue without tasks: commands to paste. */
export function FirstTask() {
  const create = `curl -s ${SETTINGS.tasks} -H "Authorization: Bearer $USER_TOKEN" \\
  -F service=hello -F input=world -F status=${codeOf('BEGIN')}`;
  const worker = `import { TaskWorker } from '@softdd/task/client';
await new TaskWorker({
  baseUrl: '${SETTINGS.claims.replace(/\/api\/crontask$/, '')}', token: process.env.WORKER_TOKEN,
  handler: ({ task }) => \`hello \${task.input}\`,
}).run();`;
  return (
    <Empty title={t('empty.title')}>
      <p>{t('empty.create')}</p>
      <Code text={create} label={t('empty.create')} />
      <p>{t('empty.worker')}</p>
      <Code text={worker} label={t('empty.worker')} />
    </Empty>
  );
}
