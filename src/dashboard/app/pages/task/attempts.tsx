import type { Attempt } from '../../../../protocol/operator.types.js';
import { Duration, FullTime } from '../../components/time.js';
import { hashOf } from '../../router.js';
import { t } from '../../words/index.js';

/** Attempts that failed or were given back. */
export function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  return (
    <section>
      <h2>{t('task.attempts')}</h2>
      {attempts.length === 0 ? (
        <p class="quiet">{t('task.attempts.none')}</p>
      ) : (
        <div class="plain-box" tabIndex={0} role="region" aria-label={t('task.attempts')}>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{t('task.attempt')}</th>
                <th scope="col">{t('task.outcome')}</th>
                <th scope="col">{t('task.worker')}</th>
                <th scope="col">{t('task.started')}</th>
                <th scope="col">{t('task.ended')}</th>
                <th scope="col">{t('task.duration')}</th>
                <th scope="col">{t('task.error')}</th>
              </tr>
            </thead>
            <tbody>
              {attempts.map((one) => (
                <tr key={`${one.attempt} ${one.endedAt}`}>
                  <td class="number">{one.attempt}</td>
                  <td>{t(`task.outcome.${one.outcome}`)}</td>
                  <td>
                    {one.workerId ? <a href={hashOf(['tasks'], { workerId: one.workerId })}>{one.workerId}</a> : '–'}
                  </td>
                  <td>{one.startedAt === null ? '–' : <FullTime at={one.startedAt} />}</td>
                  <td>
                    <FullTime at={one.endedAt} />
                  </td>
                  <td>
                    {one.startedAt === null ? (
                      '–'
                    ) : (
                      <Duration ms={Date.parse(one.endedAt) - Date.parse(one.startedAt)} />
                    )}
                  </td>
                  <td class="is-error">{one.error ?? '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
