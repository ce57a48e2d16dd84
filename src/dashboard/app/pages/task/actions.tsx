import { useState } from 'preact/hooks';
import type { OperatorTask, OperatorTaskChanges } from '../../../../protocol/operator.types.js';
import { act } from '../../api/act.js';
import { operator } from '../../api/client.js';
import { Button } from '../../components/button.js';
import { ask } from '../../components/dialog.js';
import { go } from '../../location.js';
import { codeOf, isEnded, isRunning } from '../../status.js';
import { t } from '../../words/index.js';

interface ActionsProps {
  task: OperatorTask;
  onChanged: () => void;
}

/** What an operator can do to a task in its status. */
export function Actions({ task: { taskId, status, priority }, onChanged }: ActionsProps) {
  const [isBusy, setBusy] = useState(false);
  const change = async (changes: OperatorTaskChanges, done: string): Promise<void> => {
    setBusy(true);
    await act(
      () => operator.update(taskId, changes),
      () => done,
    );
    setBusy(false);
    onChanged();
  };
  const ready = (done: string): void => void change({ status: codeOf('BEGIN') }, done);
  const cancel = async (): Promise<void> => {
    const text = isRunning(status) ? t('task.cancel.running') : t('task.cancel.text');
    const question = { title: t('task.cancel.ask'), text, action: t('task.cancel'), isDanger: true };
    if (await ask(question)) await change({ status: codeOf('CANCELLED') }, t('task.cancel.done'));
  };
  const prioritize = async (): Promise<void> => {
    const chosen = await askPriority(priority);
    if (chosen !== undefined) await change({ priority: chosen }, t('task.priority.done'));
  };
  const remove = async (): Promise<void> => {
    if (!(await ask({ ...ofDelete(), isDanger: true }))) return;
    const removal = await act(
      () => operator.remove([taskId]),
      ({ deleted }) => t(deleted.length > 0 ? 'task.delete.done' : 'task.delete.held'),
    );
    if (removal?.deleted.length) go(['tasks']);
    else onChanged();
  };
  const isOf = (role: Parameters<typeof codeOf>[0]): boolean => status === codeOf(role);
  return (
    <div class="row" role="group" aria-label={t('table.actions')}>
      {isOf('INIT') && (
        <Button kind="primary" disabled={isBusy} onClick={() => ready(t('task.ready.done'))}>
          {t('task.ready')}
        </Button>
      )}
      {isOf('WAITING') && (
        <Button disabled={isBusy} onClick={() => ready(t('task.ready.done'))}>
          {t('task.readyNow')}
        </Button>
      )}
      {(isOf('ERROR') || isOf('CANCELLED')) && (
        <Button kind="primary" disabled={isBusy} onClick={() => ready(t('task.again.done'))}>
          {t('task.again')}
        </Button>
      )}
      {!isEnded(status) && (
        <Button disabled={isBusy} onClick={() => void prioritize()}>
          {t('task.priority')}
        </Button>
      )}
      {!isEnded(status) && (
        <Button kind="danger" disabled={isBusy} onClick={() => void cancel()}>
          {t('task.cancel')}
        </Button>
      )}
      {!isRunning(status) && (
        <Button kind="danger" disabled={isBusy} onClick={() => void remove()}>
          {t('task.delete')}
        </Button>
      )}
    </div>
  );
}

const ofDelete = () => ({ title: t('task.delete.ask'), text: t('task.delete.text'), action: t('task.delete') });

async function askPriority(priority: number): Promise<number | undefined> {
  let text = String(priority);
  const fields = (
    <label class="field">
      <span>{t('task.priority')}</span>
      <input
        type="number"
        required
        min={-32_768}
        max={32_767}
        defaultValue={text}
        onInput={(event) => (text = event.currentTarget.value)}
      />
    </label>
  );
  const question = {
    title: t('task.priority.ask'),
    text: t('task.priority.text'),
    fields,
    action: t('task.priority.set'),
  };
  if (!(await ask(question)) || Number(text) === priority) return undefined;
  return Number(text);
}
