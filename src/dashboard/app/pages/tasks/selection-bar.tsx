import { useState } from 'preact/hooks';
import type { Bulk, OperatorTaskFilter } from '../../../../protocol/operator.types.js';
import { mayChange } from '../../api/session.js';
import { Button } from '../../components/button.js';
import { count } from '../../format/number.js';
import { language, plural, t } from '../../words/index.js';
import { startBulk } from '../bulk/start-bulk.js';

export interface Selected {
  keys: ReadonlySet<string>;
  /** All tasks that fit the filter, those that are not read yet, too. */
  isAll: boolean;
}

export const NOTHING: Selected = { keys: new Set(), isAll: false };
const ACTIONS = ['retry', 'cancel', 'delete'] as const satisfies readonly Bulk['action'][];

interface SelectionBarProps {
  filter: OperatorTaskFilter;
  selected: Selected;
  onSelect: (selected: Selected) => void;
}

/** What can be done to the selected tasks. It has its room before anything is selected, so that nothing jumps. */
export function SelectionBar({ filter, selected: { keys, isAll }, onSelect }: SelectionBarProps) {
  const [isBusy, setBusy] = useState(false);
  if (!mayChange()) return <span class="grow" />;
  const isNothing = keys.size === 0 && !isAll;
  const run = async (action: Bulk['action']): Promise<void> => {
    setBusy(true);
    const isStarted = await startBulk(action, isAll ? filter : { ids: [...keys] });
    setBusy(false);
    if (isStarted) onSelect(NOTHING);
  };
  return (
    <div class="row grow" role="group" aria-label={t('table.actions')}>
      {isNothing ? (
        <span class="quiet hint">{t('tasks.selectHint')}</span>
      ) : (
        <>
          <strong class="number">
            {isAll
              ? t('tasks.allSelected')
              : plural('tasks.selected', keys.size, { n: count(keys.size, language.value) })}
          </strong>
          {ACTIONS.map((action) => (
            <Button
              key={action}
              kind={action === 'retry' ? 'plain' : 'danger'}
              disabled={isBusy}
              onClick={() => void run(action)}
            >
              {t(`bulk.action.${action}`)}
            </Button>
          ))}
        </>
      )}
      {!isAll && (
        <Button kind="quiet" onClick={() => onSelect({ keys: new Set(), isAll: true })}>
          {t('tasks.selectAll')}
        </Button>
      )}
      {!isNothing && (
        <Button kind="quiet" onClick={() => onSelect(NOTHING)}>
          {t('tasks.selectNone')}
        </Button>
      )}
    </div>
  );
}
