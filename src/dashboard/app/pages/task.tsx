import type { OperatorTaskDetail } from '../../../protocol/operator.types.js';
import { act } from '../api/act.js';
import { operator } from '../api/client.js';
import { mayChange } from '../api/session.js';
import { usePoll } from '../api/use-poll.js';
import { Button } from '../components/button.js';
import { StatusChip } from '../components/chip.js';
import { Code } from '../components/code.js';
import { CopyButton } from '../components/copy.js';
import { ask } from '../components/dialog.js';
import { Progress } from '../components/progress.js';
import { Loaded } from '../components/state.js';
import { FullTime, Time } from '../components/time.js';
import { go } from '../location.js';
import { codeOf } from '../status.js';
import { t } from '../words/index.js';

export function TaskPage({ id }: { id: string }) {
  const detail = usePoll(`task ${id}`, (signal) => operator.task(id, { signal }));
  return (
    <>
      <h1 class="row">
        <span class="mono">{id}</span> <CopyButton text={id} />
      </h1>
      <Loaded of={detail} rows={8}>
        {(data) => <Content detail={data} onChanged={detail.reload} />}
      </Loaded>
    </>
  );
}

function Content({
  detail: { task, attempts, callbacks },
  onChanged,
}: {
  detail: OperatorTaskDetail;
  onChanged: () => void;
}) {
  const texts = [
    ['task.input', task.input],
    ['task.args', task.args],
    ['task.temp', task.temp],
    ['task.output', task.output],
    ['task.error', task.error ?? ''],
  ] as const;
  return (
    <>
      <div class="row">
        <StatusChip code={task.status} />
        {task.status === codeOf('START') && <Progress value={task.progress} most={100} label={t('task.progress')} />}
        <span class="grow" />
        {mayChange() && <Actions task={task} onChanged={onChanged} />}
      </div>
      <dl class="facts is-wide">
        <dt>{t('task.owner')}</dt>
        <dd>{task.userId || '–'}</dd>
        <dt>{t('task.service')}</dt>
        <dd>{task.service}</dd>
        <dt>{t('task.group')}</dt>
        <dd>{task.group ?? '–'}</dd>
        <dt>{t('task.priority')}</dt>
        <dd class="number">{task.priority}</dd>
        <dt>{t('task.worker')}</dt>
        <dd>{task.workerId ?? '–'}</dd>
        <dt>{t('task.lease')}</dt>
        <dd>
          <Time at={task.leaseExpiresAt} />
        </dd>
        <dt>{t('task.created')}</dt>
        <dd>
          <Time at={task.createdAt} />
        </dd>
        <dt>{t('task.updated')}</dt>
        <dd>
          <Time at={task.updatedAt} />
        </dd>
      </dl>
      {texts.map(
        ([word, text]) =>
          text !== '' && (
            <section key={word}>
              <h2>{t(word)}</h2>
              <Code text={text} label={t(word)} />
            </section>
          ),
      )}
      {attempts.length > 0 && (
        <section>
          <h2>{t('task.attempts')}</h2>
          <ol class="history">
            {attempts.map(({ attempt, outcome, endedAt, workerId, error }) => (
              <li key={`${attempt} ${endedAt}`}>
                <FullTime at={endedAt} /> · {attempt} · {outcome} {workerId && `· ${workerId}`} {error && `· ${error}`}
              </li>
            ))}
          </ol>
        </section>
      )}
      {callbacks.length > 0 && (
        <section>
          <h2>{t('task.callbacks')}</h2>
          <ol class="history">
            {callbacks.map(({ id, url, state, attempts: tries }) => (
              <li key={id}>
                {t(`callbacks.${state}`)} · {url} · {t('callbacks.tries')}: {tries}
              </li>
            ))}
          </ol>
        </section>
      )}
    </>
  );
}

function Actions({ task: { taskId, status }, onChanged }: { task: OperatorTaskDetail['task']; onChanged: () => void }) {
  const isEnded = [codeOf('ERROR'), codeOf('CANCELLED'), codeOf('FINISHED')].includes(status);
  const again = async (): Promise<void> => {
    await act(
      () => operator.update(taskId, { status: codeOf('BEGIN') }),
      () => t('task.again.done'),
    );
    onChanged();
  };
  const cancel = async (): Promise<void> => {
    const isWanted = await ask({
      title: t('task.cancel.ask'),
      text: t('task.cancel.text'),
      action: t('task.cancel'),
      isDanger: true,
    });
    if (!isWanted) return;
    await act(
      () => operator.update(taskId, { status: codeOf('CANCELLED') }),
      () => t('task.cancel.done'),
    );
    onChanged();
  };
  const remove = async (): Promise<void> => {
    const isWanted = await ask({
      title: t('task.delete.ask'),
      text: t('task.delete.text'),
      action: t('task.delete'),
      isDanger: true,
    });
    if (
      isWanted &&
      (await act(
        () => operator.remove([taskId]),
        () => t('task.delete.done'),
      ))
    )
      go(['tasks']);
  };
  return (
    <>
      {isEnded && status !== codeOf('FINISHED') && <Button onClick={() => void again()}>{t('task.again')}</Button>}
      {!isEnded && <Button onClick={() => void cancel()}>{t('task.cancel')}</Button>}
      {status !== codeOf('START') && (
        <Button kind="danger" onClick={() => void remove()}>
          {t('task.delete')}
        </Button>
      )}
    </>
  );
}
