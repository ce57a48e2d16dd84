import { useState } from 'preact/hooks';
import type { Callback, CallbackTry } from '../../../../protocol/operator.types.js';
import { act } from '../../api/act.js';
import { operator } from '../../api/client.js';
import { mayChange } from '../../api/session.js';
import { Button } from '../../components/button.js';
import { Chip } from '../../components/chip.js';
import { Duration, FullTime, Time } from '../../components/time.js';
import { t } from '../../words/index.js';

const LOOKS: Record<Callback['state'], string> = { pending: 'is-waiting', delivered: 'is-finished', dead: 'is-failed' };

/** Notices about the task, each with its tries. */
export const Callbacks = ({ callbacks, onChanged }: { callbacks: readonly Callback[]; onChanged: () => void }) => (
  <section>
    <h2>{t('task.callbacks')}</h2>
    {callbacks.length === 0 && <p class="quiet">{t('callbacks.none')}</p>}
    {callbacks.map((callback) => (
      <div key={callback.id} class="callback">
        <div class="row">
          <Chip kind={LOOKS[callback.state]}>{t(`callbacks.${callback.state}`)}</Chip>
          <span class="mono">{callback.url}</span>
          {callback.dueAt !== null && (
            <span class="quiet">
              {t('callbacks.due')} <Time at={callback.dueAt} />
            </span>
          )}
          <span class="grow" />
          {mayChange() && callback.state !== 'pending' && <Replay callback={callback} onChanged={onChanged} />}
        </div>
        <ol class="history">
          {callback.tries.map((one) => (
            <li key={one.time}>
              <FullTime at={one.time} /> · {resultOf(one)} · <Duration ms={one.durationMs} />
            </li>
          ))}
        </ol>
      </div>
    ))}
  </section>
);

const resultOf = ({ status, error }: CallbackTry): string => (status === undefined ? (error ?? '–') : `HTTP ${status}`);

function Replay({ callback: { id }, onChanged }: { callback: Callback; onChanged: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const replay = async (): Promise<void> => {
    setBusy(true);
    await act(
      () => operator.replayCallback(id),
      () => t('callbacks.replayed'),
    );
    setBusy(false);
    onChanged();
  };
  return (
    <Button disabled={isBusy} onClick={() => void replay()}>
      {t('callbacks.replay')}
    </Button>
  );
}
