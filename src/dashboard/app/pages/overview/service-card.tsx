import { useRef } from 'preact/hooks';
import type { ServiceOverview, Stats } from '../../../../protocol/overview.types.js';
import { Chip } from '../../components/chip.js';
import { PauseButton } from '../../components/pause.js';
import { useInSight } from '../../components/use-in-sight.js';
import { count, percent } from '../../format/number.js';
import { duration } from '../../format/time.js';
import { hashOf } from '../../router.js';
import { codeOf } from '../../status.js';
import { language, t } from '../../words/index.js';
import { wholeTime } from '../../components/time.js';
import { type Range, RANGES, ServiceCharts, useStats } from './service-charts.js';
import { failuresOf } from './troubles.js';

interface CardProps {
  service: ServiceOverview;
  range: Range;
  onChanged: () => void;
}

export const nameOf = (service: string): string => service || t('overview.otherServices');

/** A service: what is there now, what happened to it, and whether it is paused. */
export function ServiceCard({ service: one, range, onChanged }: CardProps) {
  const card = useRef<HTMLElement>(null);
  const stats = useStats(one.service, range, useInSight(card));
  const { service, paused, wait } = one;
  return (
    <section class="card" ref={card} aria-label={nameOf(service)}>
      <div class="row">
        <h2>
          <a href={hashOf(['tasks'], { service })}>{nameOf(service)}</a>
        </h2>
        {paused && <Chip kind="is-paused">{t('overview.paused')}</Chip>}
        {(wait === 'limit' || wait === 'rate') && <Chip kind="is-waiting">{t(`overview.wait.${wait}`)}</Chip>}
        <span class="grow" />
        <PauseButton service={service} paused={paused} onChanged={onChanged} />
      </div>
      {paused && <PauseNote service={one} />}
      <Facts service={one} range={range} stats={stats.isStale ? undefined : stats.data} />
      {stats.data ? (
        <ServiceCharts service={nameOf(service)} stats={stats.data} />
      ) : (
        service !== '' && <div class="charts-room" />
      )}
    </section>
  );
}

const PauseNote = ({ service: { note, pausedUntil } }: { service: ServiceOverview }) => (
  <p class="quiet">
    {note}
    {note && pausedUntil && ' · '}
    {pausedUntil && t('overview.pausedUntil', { time: wholeTime(pausedUntil) })}
  </p>
);

/** Of fewer ready tasks it is not said whose they are. */
const CROWDED = 100;

function Facts({ service: one, range, stats }: Omit<CardProps, 'onChanged'> & { stats: Stats | undefined }) {
  const { service, maxRunning, oldestReadySeconds, owners } = one;
  const link = (name: 'ready' | 'waiting' | 'running', role: 'BEGIN' | 'WAITING' | 'START') => (
    <a href={hashOf(['tasks'], { service, status: String(codeOf(role)) })}>
      {count(one[name], language.value, one.atLeast.includes(name))}
    </a>
  );
  const [first] = owners?.list ?? [];
  return (
    <dl class="tiles">
      <div>
        <dt>{t('status.ready')}</dt>
        <dd class="number">{link('ready', 'BEGIN')}</dd>
      </div>
      <div>
        <dt>{t('status.waiting')}</dt>
        <dd class="number">{link('waiting', 'WAITING')}</dd>
      </div>
      <div>
        <dt>{t('status.running')}</dt>
        <dd class="number">
          {link('running', 'START')}
          {maxRunning !== null && ` / ${t('overview.most', { n: count(maxRunning, language.value) })}`}
        </dd>
      </div>
      <div>
        <dt>{t('overview.oldest')}</dt>
        <dd class="number">
          {oldestReadySeconds === null ? '–' : duration(oldestReadySeconds * 1000, language.value)}
        </dd>
      </div>
      {owners && owners.lookedAt >= CROWDED && first && first.userId !== '' && (
        <div>
          <dt>{t('overview.owner')}</dt>
          <dd>
            <a href={hashOf(['tasks'], { service, userId: first.userId, status: String(codeOf('BEGIN')) })}>
              {first.userId}
            </a>{' '}
            {percent(first.ready, owners.lookedAt, language.value)}
          </dd>
        </div>
      )}
      <div>
        <dt>{t(RANGES[range].word)}</dt>
        <dd class="number">
          <Happened service={one} range={range} stats={stats} />
        </dd>
      </div>
    </dl>
  );
}

/** What was finished and what failed in the time of the charts. */
function Happened({ service, range, stats }: { service: ServiceOverview; range: Range; stats: Stats | undefined }) {
  const parts = stats?.points ?? (range === '60m' ? [service.last60m] : undefined);
  if (!parts) return <>–</>;
  const finished = parts.reduce((sum, part) => sum + part.finished, 0);
  const failed = parts.reduce((sum, part) => sum + failuresOf(part), 0);
  return (
    <>
      {t('overview.finished', { n: count(finished, language.value) })},{' '}
      <span class={failed > 0 ? 'is-failed own' : ''}>
        {t('overview.failed', { n: count(failed, language.value) })}
      </span>
    </>
  );
}
