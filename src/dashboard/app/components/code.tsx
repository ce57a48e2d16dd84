import { useState } from 'preact/hooks';
import { pretty } from '../format/json.js';
import { t } from '../words/index.js';
import { CopyButton } from './copy.js';

/** A text of a task: JSON is indented, with its numbers as they are. Copy takes the text itself. */
export function Code({ text, label }: { text: string; label: string }) {
  const [isRaw, setRaw] = useState(false);
  const shown = pretty(text);
  return (
    <div class="code">
      <div class="code-tools">
        {shown.isJson && (
          <button class="button is-quiet is-small" type="button" onClick={() => setRaw(!isRaw)}>
            {isRaw ? t('common.pretty') : t('common.raw')}
          </button>
        )}
        <CopyButton text={text} />
      </div>
      <pre tabIndex={0} role="region" aria-label={label}>
        {isRaw ? text : shown.text}
      </pre>
    </div>
  );
}
