import type { ComponentChildren } from 'preact';
import type { OperatorTask } from '../../../../protocol/operator.types.js';
import { Time } from '../../components/time.js';
import { hashOf } from '../../router.js';
import { isRunning } from '../../status.js';
import { t } from '../../words/index.js';

/** Whose it is, of which kind, and who has it until when. Links lead to the tasks of the same. */
export function Facts({ task }: { task: OperatorTask }) {
  const {
    userId,
    service,
    group,
    priority,
    workerId,
    attempt,
    maxAttempts,
    createdAt,
    updatedAt,
    scheduleKey,
    batchId,
  } = task;
  const isHeld = isRunning(task.status);
  return (
    <dl class="facts is-wide">
      <Fact name={t('task.owner')}>
        <Same condition="userId" value={userId} />
      </Fact>
      <Fact name={t('task.service')}>
        <Same condition="service" value={service} />
      </Fact>
      <Fact name={t('task.group')}>
        <Same condition="group" value={group} />
      </Fact>
      <Fact name={t('task.priority')}>
        <span class="number">{priority}</span>
      </Fact>
      <Fact name={t('task.worker')}>
        <Same condition="workerId" value={workerId} />
      </Fact>
      <Fact name={t('task.attempt')}>
        <span class="number">
          {maxAttempts === null ? attempt : t('task.attempt.of', { n: attempt, most: maxAttempts })}
        </span>
      </Fact>
      {scheduleKey !== undefined && (
        <Fact name={t('schedules.key')}>
          <a href={hashOf(['schedules'], { userId })}>{scheduleKey}</a>
        </Fact>
      )}
      {batchId !== undefined && (
        <Fact name={t('batches.id')}>
          <a class="mono" href={hashOf(['batches', batchId])}>
            {batchId}
          </a>
        </Fact>
      )}
      {isHeld && (
        <Fact name={t('task.lease')}>
          <Time at={task.leaseExpiresAt} />{' '}
          <span class="quiet">
            {t('task.heartbeat')} <Time at={updatedAt} />
          </span>
        </Fact>
      )}
      <Fact name={t('task.created')}>
        <Time at={createdAt} />
      </Fact>
      <Fact name={t('task.updated')}>
        <Time at={updatedAt} />
      </Fact>
    </dl>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

const Same = ({ condition, value }: { condition: string; value: string | null }) =>
  value === null || value === '' ? <>–</> : <a href={hashOf(['tasks'], { [condition]: value })}>{value}</a>;
