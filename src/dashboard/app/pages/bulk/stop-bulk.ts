import { act } from '../../api/act.js';
import { operator } from '../../api/client.js';
import { ask } from '../../components/dialog.js';
import { t } from '../../words/index.js';

/** Asks, and stops a job. */
export async function stopBulk(bulkId: string): Promise<void> {
  const question = { title: t('bulk.stop.ask'), text: t('bulk.stop.text'), action: t('bulk.stop'), isDanger: true };
  if (!(await ask(question))) return;
  await act(
    () => operator.bulks.abort(bulkId),
    () => t('bulk.stopped'),
  );
}
