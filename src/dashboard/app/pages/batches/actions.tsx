import type { OperatorBatch } from '../../../../protocol/batch.types.js';
import { act } from '../../api/act.js';
import { operator } from '../../api/client.js';
import { mayChange } from '../../api/session.js';
import { Button } from '../../components/button.js';
import { ask } from '../../components/dialog.js';
import { plural, t } from '../../words/index.js';

interface ActionsProps {
  batch: OperatorBatch;
  onChanged: () => void;
}

/** Seals a batch, or cancels what has not ended. Nothing for who may only read. */
export function BatchActions({ batch: { batchId, sealed, endedAt, counts }, onChanged }: ActionsProps) {
  if (!mayChange() || endedAt !== null) return null;
  const seal = async (): Promise<void> => {
    const [title, text, action] = [t('batches.seal.ask'), t('batches.seal.text'), t('batches.seal')];
    if (!(await ask({ title, text, action }))) return;
    await act(
      () => operator.batches.seal(batchId),
      () => t('batches.sealed'),
    );
    onChanged();
  };
  const cancel = async (): Promise<void> => {
    const text = plural('batches.cancel.text', counts.waiting + counts.ready + counts.running);
    if (!(await ask({ title: t('batches.cancel.ask'), text, action: t('batches.cancel'), isDanger: true }))) return;
    await act(
      () => operator.batches.cancel(batchId),
      () => t('batches.cancelled'),
    );
    onChanged();
  };
  return (
    <>
      {!sealed && <Button onClick={() => void seal()}>{t('batches.seal')}</Button>}
      <Button kind="danger" onClick={() => void cancel()}>
        {t('batches.cancel')}
      </Button>
    </>
  );
}
