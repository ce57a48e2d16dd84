import type { Callback, CallbackTry } from '../../../../protocol/operator.types.js';
import { mayChange } from '../../api/session.js';
import { Chip } from '../../components/chip.js';
import { CopyButton } from '../../components/copy.js';
import { Dialog } from '../../components/dialog.js';
import { FullTime, Time } from '../../components/time.js';
import { duration } from '../../format/time.js';
import { hashOf } from '../../router.js';
import { language, t } from '../../words/index.js';
import { Replay } from './replay.js';

export const LOOKS: Record<Callback['state'], string> = {
  pending: 'is-waiting',
  delivered: 'is-finished',
  dead: 'is-failed',
};

/** Where it goes, without the path. A text that is no URL stays as it is. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url);

/** What came of a try: the HTTP status, or why there was none. */
export const triedAs = ({ status, error }: CallbackTry): string =>
  status === undefined ? (error ?? '–') : error ? `HTTP ${status}: ${error}` : `HTTP ${status}`;

interface CallbackDialogProps {
  callback: Callback;
  onChanged: () => void;
  onClose: () => void;
}

/** All of a callback, with its tries. */
export function CallbackDialog({ callback, onChanged, onClose }: CallbackDialogProps) {
  const { state, url, taskId, type, tries, createdAt, dueAt } = callback;
  return (
    <Dialog title={t('callbacks.one', { type })} onClose={onClose}>
      <dl class="facts">
        <dt>{t('callbacks.state')}</dt>
        <dd>
          <Chip kind={LOOKS[state]}>{t(`callbacks.${state}`)}</Chip>
        </dd>
        <dt>{t('callbacks.url')}</dt>
        <dd>
          {url} <CopyButton text={url} label={t('callbacks.copyUrl')} />
        </dd>
        <dt>{t('task.id')}</dt>
        <dd>
          <a class="mono" href={hashOf(['tasks', taskId])}>
            {taskId}
          </a>
        </dd>
        <dt>{t('task.created')}</dt>
        <dd>
          <FullTime at={createdAt} />
        </dd>
        {dueAt && (
          <>
            <dt>{t('callbacks.due')}</dt>
            <dd>
              <Time at={dueAt} />
            </dd>
          </>
        )}
      </dl>
      <h3>{t('callbacks.tries')}</h3>
      {tries.length === 0 ? (
        <p class="quiet">{t('callbacks.untried')}</p>
      ) : (
        <ol class="history">
          {tries.map((one) => (
            <li key={one.time}>
              <FullTime at={one.time} /> · {triedAs(one)} · {duration(one.durationMs, language.value)}
            </li>
          ))}
        </ol>
      )}
      <div class="actions">
        <form method="dialog">
          <button class="button" type="submit">
            {t('common.close')}
          </button>
        </form>
        {mayChange() && <Replay callback={callback} onChanged={onChanged} />}
      </div>
    </Dialog>
  );
}
