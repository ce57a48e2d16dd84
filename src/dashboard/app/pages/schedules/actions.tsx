import type { OperatorSchedule } from '../../../../protocol/schedule.types.js';
import { act } from '../../api/act.js';
import { operator } from '../../api/client.js';
import { mayChange } from '../../api/session.js';
import { Button } from '../../components/button.js';
import { ask } from '../../components/dialog.js';
import { t } from '../../words/index.js';

interface ActionsProps {
  schedule: OperatorSchedule;
  onChanged: () => void;
}

/** Pauses or resumes a schedule, creates its task now, or deletes it. Nothing for who may only read. */
export function ScheduleActions({ schedule: { userId, key, paused, state }, onChanged }: ActionsProps) {
  if (!mayChange()) return null;
  const which = { userId, key };
  const { schedules } = operator;
  const pause = async (): Promise<void> => {
    await act(
      () => (paused ? schedules.resume(which) : schedules.pause(which)),
      () => t(paused ? 'schedules.resumed' : 'schedules.paused', { key }),
    );
    onChanged();
  };
  const run = async (): Promise<void> => {
    const [title, text] = [t('schedules.run.ask', { key }), t('schedules.run.text')];
    if (!(await ask({ title, text, action: t('schedules.run') }))) return;
    await act(
      () => schedules.run(which),
      () => t('schedules.ran', { key }),
    );
    onChanged();
  };
  const remove = async (): Promise<void> => {
    const [title, text] = [t('schedules.delete.ask', { key, owner: userId }), t('schedules.delete.text')];
    if (!(await ask({ title, text, action: t('schedules.delete'), isDanger: true }))) return;
    await act(
      () => schedules.remove(which),
      () => t('schedules.deleted', { key }),
    );
    onChanged();
  };
  const words = t(paused ? 'schedules.resume' : 'schedules.pause');
  return (
    <span class="row">
      {state !== 'ended' && (
        <Button label={`${words} ${key}`} onClick={() => void pause()}>
          {words}
        </Button>
      )}
      <Button label={`${t('schedules.run')} ${key}`} onClick={() => void run()}>
        {t('schedules.run')}
      </Button>
      <Button label={`${t('schedules.delete')} ${key}`} onClick={() => void remove()}>
        {t('schedules.delete')}
      </Button>
    </span>
  );
}
