import type { Callback, CallbackFilter } from '../../../../protocol/operator.types.js';
import { act } from '../../api/act.js';
import { operator } from '../../api/client.js';
import { mayChange } from '../../api/session.js';
import { Button } from '../../components/button.js';
import { ask } from '../../components/dialog.js';
import { count } from '../../format/number.js';
import { language, plural, t } from '../../words/index.js';

/** Requests of one click: the server takes 1,000 callbacks with each. */
const REQUESTS = 100;

/** Delivers one again. One that is still to be delivered needs no button. */
export function Replay({ callback: { id, state }, onChanged }: { callback: Callback; onChanged: () => void }) {
  const replay = async (): Promise<void> => {
    await act(
      () => operator.replayCallback(id),
      () => t('callbacks.replayed'),
    );
    onChanged();
  };
  return state === 'pending' ? null : <Button onClick={() => void replay()}>{t('callbacks.replay')}</Button>;
}

interface ReplayAllProps {
  /** Dead ones: each that was replayed is dead no more, so that the next request finds others. */
  filter: CallbackFilter & { state: 'dead' };
  found: number;
  isMore: boolean;
  onChanged: () => void;
}

/** Delivers all dead ones again that fit, after saying how many there are. */
export function ReplayAll({ filter, found, isMore, onChanged }: ReplayAllProps) {
  if (!mayChange()) return null;
  const shown = count(found, language.value, isMore);
  const replay = async (): Promise<void> => {
    const isWanted = await ask({
      title: t('callbacks.replayAll.ask', { n: shown }),
      text: t('callbacks.replayAll.text', { origin: filter.origin ?? t('callbacks.replayAll.anywhere') }),
      action: t('callbacks.replayAll'),
    });
    if (!isWanted) return;
    await act(
      () => replayAll(filter),
      (n) => plural('callbacks.replayAll.done', n),
    );
    onChanged();
  };
  return <Button onClick={() => void replay()}>{t('callbacks.replayAll.button', { n: shown })}</Button>;
}

async function replayAll(filter: CallbackFilter): Promise<number> {
  let sum = 0;
  for (let request = 0; request < REQUESTS; request++) {
    const { replayed, isPartial } = await operator.replayCallbacks(filter);
    sum += replayed;
    if (!isPartial || replayed === 0) break;
  }
  return sum;
}
