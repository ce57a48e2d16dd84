import { signal } from '@preact/signals';
import type { Bulk, BulkCount, OperatorTaskFilter } from '../../../../protocol/operator.types.js';
import { act } from '../../api/act.js';
import { operator } from '../../api/client.js';
import { ask } from '../../components/dialog.js';
import { toast } from '../../components/toast.js';
import { count } from '../../format/number.js';
import { language, plural, t } from '../../words/index.js';
import { isEmpty } from '../tasks/filter.js';

/** A job that was started from this tab, with the number of tasks that its reader was told. */
export interface Job {
  bulk: Bulk;
  total: number;
  isExact: boolean;
}

/** Those whose progress the reader wants to see, the newest last. */
export const jobs = signal<readonly Job[]>([]);
/** Numbers that were told, by the ids of the jobs: the queue itself counts only as it goes. */
export const totals = new Map<string, number>();

/** Ids of one request. */
const IDS = 1000;
/** Tasks beyond which a delete wants the number to be typed. */
const MANY = 1000;

/** Says how many tasks an action concerns, asks, and starts it. Resolves with whether it was started. */
export async function startBulk(action: Bulk['action'], filter: OperatorTaskFilter): Promise<boolean> {
  const requests = partsOf(filter).map((part) => ({ action, filter: part, ...(isEmpty(part) ? { all: true } : {}) }));
  const counts = await act(() => inTurn(requests, (request) => operator.bulks.count(request)));
  if (!counts) return false;
  const found = sum(counts);
  if (found.count === 0 && found.isExact) {
    toast(t(`bulk.nothing.${action}`), 'bad');
    return false;
  }
  if (!(await ask(questionOf(action, filter, found)))) return false;
  return (
    (await act(() =>
      inTurn(requests, async (request) => {
        const bulk = await operator.bulks.start(request);
        const total = requests.length === 1 ? found.count : request.filter.ids!.length;
        if (found.isExact) totals.set(bulk.bulkId, total);
        jobs.value = [...jobs.value, { bulk, total, isExact: found.isExact }];
      }),
    )) !== undefined
  );
}

/** One request holds a bounded number of ids. */
function partsOf(filter: OperatorTaskFilter): OperatorTaskFilter[] {
  const { ids } = filter;
  if (!ids || ids.length <= IDS) return [filter];
  return Array.from({ length: Math.ceil(ids.length / IDS) }, (_, part) => ({
    ...filter,
    ids: ids.slice(part * IDS, (part + 1) * IDS),
  }));
}

async function inTurn<A, B>(all: readonly A[], send: (one: A) => Promise<B>): Promise<B[]> {
  const answers: B[] = [];
  for (const one of all) answers.push(await send(one));
  return answers;
}

const sum = (counts: readonly BulkCount[]): BulkCount => ({
  count: counts.reduce((total, one) => total + one.count, 0),
  isExact: counts.every(({ isExact }) => isExact),
});

function questionOf(action: Bulk['action'], filter: OperatorTaskFilter, { count: n, isExact }: BulkCount) {
  const shown = { n: count(n, language.value, !isExact) };
  const isTyped = action === 'delete' && (n > MANY || !isExact);
  return {
    title: plural(`bulk.ask.${action}`, isExact ? n : 2, shown),
    text: [t(`bulk.text.${action}`), isEmpty(filter) ? t('bulk.ofAll') : '', isExact ? '' : t('bulk.more')]
      .filter(Boolean)
      .join(' '),
    fields: isTyped && (
      <label class="field">
        <span>{t('bulk.type', { n })}</span>
        <input type="text" inputMode="numeric" required pattern={String(n)} autocomplete="off" />
      </label>
    ),
    action: plural(`bulk.do.${action}`, isExact ? n : 2, shown),
    isDanger: action !== 'retry',
  };
}
