import { SETTINGS } from '../api/settings.js';
import { codeOf } from '../status.js';
import { t } from '../words/index.js';
import { Code } from './code.js';
import { Empty } from './state.js';

/** A worker that fails at first, so that the page has something to show. */
const worker = (baseUrl: string): string => `node --input-type=module <<'END'
import { RetryLater, TaskWorker } from '@softdd/task/client';

await new TaskWorker({
  baseUrl: '${baseUrl}',
  token: process.env.WORKER_TOKEN,
  service: 'hello',
  async handler({ task, progress }) {
    for (let percent = 0; percent < 100; percent += 10) {
      progress(percent);
      await new Promise((done) => setTimeout(done, 1000));
      if (task.attempt === 1 && percent === 50) throw new RetryLater(5, 'the first attempt fails');
    }
    return \`hello \${task.input}\`;
  },
}).run();
END`;

/** What to do in a queue without tasks: commands to paste. */
export function FirstTask() {
  const steps = [
    [t('empty.tokens'), `export USER_TOKEN='the user token'\nexport WORKER_TOKEN='the worker token'`],
    [
      t('empty.create'),
      `curl -s ${SETTINGS.tasks} -H "Authorization: Bearer $USER_TOKEN" \\
  -F service=hello -F input=world -F status=${codeOf('BEGIN')}`,
    ],
    [t('empty.worker'), worker(SETTINGS.claims.replace(/\/api\/crontask$/, ''))],
  ] as const;
  return (
    <Empty title={t('empty.title')}>
      <p>{t('empty.text')}</p>
      {steps.map(([name, text]) => (
        <div key={name}>
          <p>{name}</p>
          <Code text={text} label={name} />
        </div>
      ))}
    </Empty>
  );
}
