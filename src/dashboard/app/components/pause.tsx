import { useState } from 'preact/hooks';
import { act } from '../api/act.js';
import { operator } from '../api/client.js';
import { mayChange } from '../api/session.js';
import { duration } from '../format/time.js';
import { language, t } from '../words/index.js';
import { Button } from './button.js';
import { ask } from './dialog.js';

/** Minutes for which a pause may last, at a click. */
const MINUTES = [15, 60, 240, 1440];

interface Wish {
  note: string;
  /** Milliseconds since 1970. undefined: the pause has no end. */
  until: number | undefined;
}

interface PauseProps {
  service: string;
  paused: boolean;
  onChanged: () => void;
}

/** Pauses a service, after asking why and until when, or resumes it. Nothing for who may only read. */
export function PauseButton({ service, paused, onChanged }: PauseProps) {
  const change = async (): Promise<void> => {
    const wish: Wish = { note: '', until: undefined };
    const isWanted =
      paused ||
      (await ask({
        title: t('services.pause.ask', { service }),
        text: t('services.pause.text'),
        fields: <PauseFields wish={wish} />,
        action: t('services.pause'),
      }));
    if (!isWanted) return;
    const pausedUntil = wish.until === undefined ? '' : new Date(wish.until).toISOString();
    await act(
      () =>
        operator.setService(
          service,
          paused ? { paused: false } : { paused: true, note: wish.note.trim(), pausedUntil },
        ),
      (state) => t(state.paused ? 'services.paused' : 'services.resumed', { service }),
    );
    onChanged();
  };
  if (service === '' || !mayChange()) return null;
  const words = paused ? t('services.resume') : t('services.pause');
  return (
    <Button label={`${words} ${service}`} onClick={() => void change()}>
      {words}
    </Button>
  );
}

function PauseFields({ wish }: { wish: Wish }) {
  const [choice, setChoice] = useState('');
  const choose = (value: string): void => {
    setChoice(value);
    const minutes = Number(value);
    wish.until = minutes > 0 ? Date.now() + minutes * 60_000 : undefined;
  };
  return (
    <>
      <label class="field">
        <span>{t('services.note')}</span>
        <input type="text" name="note" maxLength={1000} onInput={(event) => (wish.note = event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{t('services.until')}</span>
        <select name="until" value={choice} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{t('services.until.resumed')}</option>
          {MINUTES.map((minutes) => (
            <option key={minutes} value={minutes}>
              {t('services.until.for', { time: duration(minutes * 60_000, language.value) })}
            </option>
          ))}
          <option value="time">{t('services.until.time')}</option>
        </select>
      </label>
      {choice === 'time' && (
        <label class="field">
          <span>{t('services.until.time')}</span>
          <input
            type="datetime-local"
            name="time"
            required
            onInput={(event) => (wish.until = new Date(event.currentTarget.value).getTime() || undefined)}
          />
        </label>
      )}
    </>
  );
}
