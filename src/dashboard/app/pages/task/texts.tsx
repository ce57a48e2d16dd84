import { useState } from 'preact/hooks';
import type { OperatorTask } from '../../../../protocol/operator.types.js';
import { Code } from '../../components/code.js';
import { codeOf } from '../../status.js';
import { t } from '../../words/index.js';

const TEXTS = ['input', 'args', 'temp', 'output', 'error'] as const;
type Text = (typeof TEXTS)[number];

/** The texts of a task, one at a time. The output of a finished task is what its reader looks for. */
export function Texts({ task }: { task: OperatorTask }) {
  const [chosen, choose] = useState<Text | undefined>(undefined);
  const shown = chosen ?? (task.status === codeOf('FINISHED') && task.output !== '' ? 'output' : 'input');
  const text = task[shown] ?? '';
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const next = TEXTS[(TEXTS.indexOf(shown) + by + TEXTS.length) % TEXTS.length]!;
    choose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section>
      <div class="tabs" role="tablist" aria-label={t('task.texts')} onKeyDown={move}>
        {TEXTS.map((one) => (
          <button
            key={one}
            id={`tab-${one}`}
            type="button"
            role="tab"
            aria-selected={one === shown}
            aria-controls="tab-panel"
            tabIndex={one === shown ? 0 : -1}
            class={task[one] ? '' : 'is-empty'}
            onClick={() => choose(one)}
          >
            {t(`task.${one}`)}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${shown}`}>
        {text === '' ? (
          <p class="quiet no-text">{t('task.noText')}</p>
        ) : (
          <Code key={shown} text={text} label={t(`task.${shown}`)} />
        )}
      </div>
    </section>
  );
}
