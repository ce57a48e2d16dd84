import { useEffect, useState } from 'preact/hooks';
import type { OperatorTaskDetail } from '../../../../protocol/operator.types.js';
import { operator } from '../../api/client.js';
import { mayChange } from '../../api/session.js';
import { usePoll } from '../../api/use-poll.js';
import { StatusChip } from '../../components/chip.js';
import { CopyButton } from '../../components/copy.js';
import { Progress } from '../../components/progress.js';
import { Empty, Loaded } from '../../components/state.js';
import { hashOf } from '../../router.js';
import { codeOf, isEnded, isRunning } from '../../status.js';
import { t } from '../../words/index.js';
import { lastQuery } from '../tasks/use-feed.js';
import { Actions } from './actions.js';
import { Attempts } from './attempts.js';
import { Callbacks } from './callbacks.js';
import { Facts } from './facts.js';
import { Texts } from './texts.js';
import { Timeline } from './timeline-view.js';

export function TaskPage({ id }: { id: string }) {
  // A task that has ended is read once more after each change of its reader's.
  const [isOver, setOver] = useState(false);
  const detail = usePoll(`task ${id}`, isOver ? undefined : (signal) => operator.task(id, { signal }));
  const { data, failure } = detail;
  const isMissing = failure?.httpStatus === 404;
  useEffect(() => {
    if (data) setOver(isAtRest(data) || isMissing);
  }, [data, isMissing]);
  const reload = (): void => {
    if (isOver) setOver(false);
    else detail.reload();
  };
  return (
    <div class="task">
      <h1 class="row">
        <a href={hashOf(['tasks'], lastQuery())} aria-label={t('task.back')}>
          ←
        </a>
        <span class="mono">{id}</span> <CopyButton text={id} />
      </h1>
      {isMissing ? (
        <Empty title={t('task.missing')} text={t('task.missing.text')} />
      ) : (
        <Loaded of={{ ...detail, reload }} rows={8}>
          {(found) => <Content detail={found} onChanged={reload} />}
        </Loaded>
      )}
    </div>
  );
}

/** Nothing happens to it by itself any more. */
const isAtRest = ({ task, callbacks }: OperatorTaskDetail): boolean =>
  isEnded(task.status) && callbacks.every(({ state }) => state !== 'pending');

function Content({ detail, onChanged }: { detail: OperatorTaskDetail; onChanged: () => void }) {
  const { task, attempts, callbacks } = detail;
  return (
    <>
      <div class="row">
        <StatusChip code={task.status} />
        {isRunning(task.status) && <Progress value={task.progress} most={100} label={t('task.progress')} />}
        <span class="grow" />
        {mayChange() && <Actions task={task} onChanged={onChanged} />}
      </div>
      <Facts task={task} />
      {task.status === codeOf('ERROR') && task.error && (
        <div class="notice is-bad">
          <pre class="error-text">{task.error}</pre>
        </div>
      )}
      <div class="columns">
        <Timeline detail={detail} />
        <Texts task={task} />
      </div>
      <Attempts attempts={attempts} />
      <Callbacks callbacks={callbacks} onChanged={onChanged} />
    </>
  );
}
