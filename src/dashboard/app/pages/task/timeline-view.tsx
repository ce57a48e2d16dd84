import type { OperatorTaskDetail } from '../../../../protocol/operator.types.js';
import { Duration, FullTime, now, Time } from '../../components/time.js';
import { duration } from '../../format/time.js';
import { hashOf } from '../../router.js';
import { codeOf, statusName, statusOf } from '../../status.js';
import { language, t } from '../../words/index.js';
import { type Moment, timelineOf } from './timeline.js';

const LOOKS: Record<Exclude<Moment['kind'], 'ended'>, string> = {
  created: 'is-draft',
  ready: 'is-ready',
  due: 'is-waiting',
  started: 'is-running',
  failed: 'is-failed',
  leaseExpired: 'is-failed',
  released: 'is-waiting',
  running: 'is-running',
};

export function Timeline({ detail }: { detail: OperatorTaskDetail }) {
  const { status } = detail.task;
  return (
    <section>
      <h2>{t('task.timeline')}</h2>
      <ol class="timeline">
        {timelineOf(detail, codeOf).map((moment) => {
          const isEnd = moment.kind === 'ended';
          const look = isEnd ? statusOf(status).className : LOOKS[moment.kind as keyof typeof LOOKS];
          return (
            <li key={`${moment.kind} ${moment.at} ${moment.attempt}`} class={look}>
              <strong>{isEnd ? statusName(statusOf(status)) : wordOf(moment)}</strong>
              <span>
                <FullTime at={moment.at} />{' '}
                <span class="quiet">
                  (<Time at={moment.at} />)
                </span>
              </span>
              <More moment={moment} />
            </li>
          );
        })}
      </ol>
    </section>
  );
}

const wordOf = ({ kind, attempt }: Moment): string => t(`task.life.${kind as keyof typeof LOOKS}`, { n: attempt ?? 0 });

/** Who had it, for how long, and why it failed. */
function More({ moment: { kind, at, workerId, ms, error } }: { moment: Moment }) {
  const running = kind === 'running' ? Math.max(0, now.value - Date.parse(at)) : undefined;
  return (
    <>
      {workerId && <a href={hashOf(['tasks'], { workerId })}>{workerId}</a>}
      {running !== undefined && (
        <span class="number">{t('task.for', { time: duration(running, language.value) })}</span>
      )}
      {ms !== undefined && <Duration ms={ms} />}
      {error && <pre class="error-text">{error}</pre>}
    </>
  );
}
