import { useState } from 'preact/hooks';
import { t } from '../words/index.js';

/** Copies a text. Over plain HTTP browsers have no clipboard, so it falls back to a selection. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await write(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <button class="button is-quiet is-small" type="button" onClick={() => void copy()} aria-label={label}>
      {isCopied ? t('common.copied') : t('common.copy')}
    </button>
  );
}

async function write(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'offscreen';
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}
