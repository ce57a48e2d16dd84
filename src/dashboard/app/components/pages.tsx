import { setQuery } from '../location.js';
import { t } from '../words/index.js';
import { Button } from './button.js';

/** The buttons below a list that is read page by page. The cursor stands in the address. */
export function Pages({ cursor, nextCursor }: { cursor: string | undefined; nextCursor: string | null }) {
  if (nextCursor === null && !cursor) return null;
  return (
    <p class="row foot">
      {cursor && <Button onClick={() => setQuery({ cursor: undefined })}>{t('common.firstPage')}</Button>}
      {nextCursor !== null && <Button onClick={() => setQuery({ cursor: nextCursor })}>{t('common.nextPage')}</Button>}
    </p>
  );
}
