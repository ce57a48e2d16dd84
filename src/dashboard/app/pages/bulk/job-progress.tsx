import { useEffect } from 'preact/hooks';
import type { Bulk } from '../../../../protocol/operator.types.js';
import { operator } from '../../api/client.js';
import { usePoll } from '../../api/use-poll.js';
import { Button } from '../../components/button.js';
import { Progress } from '../../components/progress.js';
import { count } from '../../format/number.js';
import { hashOf } from '../../router.js';
import { language, t } from '../../words/index.js';
import { type Job, jobs } from './start-bulk.js';
import { stopBulk } from './stop-bulk.js';

/** The jobs that were started from this tab, until the reader has seen their ends. */
export const JobProgress = ({ onEnd }: { onEnd: () => void }) => (
  <>
    {jobs.value.map((job) => (
      <JobLine key={job.bulk.bulkId} job={job} onEnd={onEnd} />
    ))}
  </>
);

function JobLine({ job, onEnd }: { job: Job; onEnd: () => void }) {
  const { bulkId, state } = job.bulk;
  const isRunning = state === 'running';
  const poll = usePoll(`bulk ${bulkId}`, isRunning ? (signal) => operator.bulks.get(bulkId, { signal }) : undefined);
  const { data } = poll;
  useEffect(() => {
    if (!data) return;
    replace({ ...job, bulk: data });
    if (data.state !== 'running') onEnd();
  }, [data]);
  return (
    <div class={`notice ${isRunning ? 'is-accent' : state === 'done' ? 'is-good' : 'is-warning'}`} role="status">
      <strong>{t(`bulk.action.${job.bulk.action}`)}</strong>
      <span class="number">{resultOf(job)}</span>
      {isRunning && job.isExact && (
        <Progress value={job.bulk.done + job.bulk.failed} most={job.total} label={t('bulk.progress')} />
      )}
      <span class="grow" />
      <a href={hashOf(['bulk'])}>{t('nav.bulk')}</a>
      {isRunning ? (
        <Button onClick={() => void stopBulk(bulkId).then(() => poll.reload())}>{t('bulk.stop')}</Button>
      ) : (
        <Button onClick={() => remove(bulkId)}>{t('common.close')}</Button>
      )}
    </div>
  );
}

function resultOf({ bulk, total, isExact }: Job): string {
  const number = (value: number): string => count(value, language.value);
  if (bulk.state === 'running') return ofTotal(bulk, total, isExact);
  const word = bulk.state === 'done' ? 'bulk.result' : 'bulk.result.stopped';
  return t(word, { done: number(bulk.done), failed: number(bulk.failed) });
}

/** How far a job is. */
export const ofTotal = ({ done, failed }: Bulk, total: number, isExact: boolean): string =>
  t('bulk.of', { done: count(done + failed, language.value), n: count(total, language.value, !isExact) });

const replace = (job: Job): void => {
  jobs.value = jobs.value.map((one) => (one.bulk.bulkId === job.bulk.bulkId ? job : one));
};

const remove = (bulkId: string): void => {
  jobs.value = jobs.value.filter(({ bulk }) => bulk.bulkId !== bulkId);
};
