import type { ComponentChildren } from 'preact';
import type { OperatorBatch } from '../../../../protocol/batch.types.js';
import { Time } from '../../components/time.js';
import { count } from '../../format/number.js';
import { hashOf } from '../../router.js';
import { language, t } from '../../words/index.js';
import { CountBar, CountWords } from './counts.js';

/** Whose it is, where its tasks are, and what follows it. */
export const BatchFacts = ({ batch }: { batch: OperatorBatch }) => (
  <>
    <dl class="facts is-wide">
      <Fact name={t('task.owner')}>
        <a href={hashOf(['batches'], { userId: batch.userId })}>{batch.userId}</a>
      </Fact>
      <Fact name={t('batches.total')}>
        <span class="number">{count(batch.total, language.value)}</span>{' '}
        {batch.total > 0 && <a href={hashOf(['tasks'], { batchId: batch.batchId })}>{t('batches.search')}</a>}
      </Fact>
      <Fact name={t('batches.onFailure')}>{t(`batches.onFailure.${batch.onFailure}`)}</Fact>
      {batch.thenTaskId !== null && (
        <Fact name={t('batches.then')}>
          <a class="mono" href={hashOf(['tasks', batch.thenTaskId])}>
            {batch.thenTaskId}
          </a>
        </Fact>
      )}
      <Fact name={t('task.created')}>
        <Time at={batch.createdAt} />
      </Fact>
      {batch.endedAt !== null && (
        <Fact name={t('batches.ended')}>
          <Time at={batch.endedAt} />
        </Fact>
      )}
    </dl>
    {batch.total > 0 && (
      <div class="stack counts">
        <CountBar counts={batch.counts} total={batch.total} />
        <CountWords counts={batch.counts} />
      </div>
    )}
  </>
);

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
