import type { ReadyOwners } from '../../../protocol/overview.types.js';
import { count } from '../format/number.js';
import { hashOf } from '../router.js';
import { language, t } from '../words/index.js';

interface OwnersProps {
  service: string;
  owners: ReadyOwners | null;
}

/** How many tasks run and are ready of the owners with most of them, in a service in which owners take turns. */
export function Owners({ service, owners }: OwnersProps) {
  const n = (value: number): string => count(value, language.value);
  const list = owners?.list.filter(({ running }) => running !== null) ?? [];
  if (!owners || list.length === 0) return <>–</>;
  return (
    <ul class="owners" title={t('services.owners.of', { n: n(owners.lookedAt) })}>
      {list.map(({ userId, ready, running }) => (
        <li key={userId}>
          <a href={hashOf(['tasks'], { service, userId })}>{userId}</a>{' '}
          {t('services.owners.has', { running: n(running!), ready: n(ready) })}
        </li>
      ))}
    </ul>
  );
}
