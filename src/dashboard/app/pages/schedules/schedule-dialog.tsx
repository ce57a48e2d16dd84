import type { ComponentChildren } from 'preact';
import type { OperatorSchedule } from '../../../../protocol/schedule.types.js';
import { Chip } from '../../components/chip.js';
import { Code } from '../../components/code.js';
import { Dialog } from '../../components/dialog.js';
import { FullTime } from '../../components/time.js';
import { duration } from '../../format/time.js';
import { hashOf } from '../../router.js';
import { language, t } from '../../words/index.js';

export const LOOKS: Record<OperatorSchedule['state'], string> = {
  active: 'is-finished',
  paused: 'is-paused',
  ended: 'is-cancelled',
};

const seconds = (n: number): string => duration(n * 1000, language.value);

/** The times as they were written. */
export const timesOf = ({ cron, every, timeZone }: OperatorSchedule): string =>
  cron === null ? t('schedules.every', { time: seconds(every!) }) : t('schedules.in', { cron, zone: timeZone });

/** All of a schedule: its settings, its next times, and what became of the last ones. */
export function ScheduleDialog({ schedule, onClose }: { schedule: OperatorSchedule; onClose: () => void }) {
  const { key, userId, state, overlap, catchUp, catchUpWindow, task, next, runs } = schedule;
  return (
    <Dialog title={key} onClose={onClose}>
      <dl class="facts">
        <Fact name={t('task.owner')}>
          <a href={hashOf(['schedules'], { userId })}>{userId}</a>
        </Fact>
        <Fact name={t('schedules.state')}>
          <Chip kind={LOOKS[state]}>{t(`schedules.state.${state}`)}</Chip>
        </Fact>
        <Fact name={t('schedules.times')}>
          <span class="mono">{timesOf(schedule)}</span>
        </Fact>
        <Fact name={t('schedules.overlap')}>{t(`schedules.overlap.${overlap}`)}</Fact>
        <Fact name={t('schedules.catchUp')}>{t(`schedules.catchUp.${catchUp}`, { time: seconds(catchUpWindow) })}</Fact>
      </dl>
      <h3>{t('schedules.nextTimes')}</h3>
      {next.length === 0 ? (
        <p class="quiet">{t('schedules.noTimes')}</p>
      ) : (
        <ol class="history">
          {next.map((time) => (
            <li key={time}>
              <FullTime at={time} />
            </li>
          ))}
        </ol>
      )}
      <h3>{t('schedules.history')}</h3>
      {runs.length === 0 ? (
        <p class="quiet">{t('schedules.noHistory')}</p>
      ) : (
        <ol class="history">
          {runs.map(({ scheduledFor, taskId, error }) => (
            <li key={`${scheduledFor} ${taskId}`}>
              <FullTime at={scheduledFor} /> · {taskId === null ? error : <TaskLink taskId={taskId} />}
            </li>
          ))}
        </ol>
      )}
      <h3>{t('schedules.task')}</h3>
      <Code text={JSON.stringify(task)} label={t('schedules.task')} />
      <div class="actions">
        <a class="button" href={hashOf(['tasks'], { userId, scheduleKey: key })}>
          {t('schedules.tasks')}
        </a>
        <form method="dialog">
          <button class="button" type="submit">
            {t('common.close')}
          </button>
        </form>
      </div>
    </Dialog>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);

export const TaskLink = ({ taskId }: { taskId: string }) => (
  <a class="mono" href={hashOf(['tasks', taskId])}>
    {taskId}
  </a>
);
