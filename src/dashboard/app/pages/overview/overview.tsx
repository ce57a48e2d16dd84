import type { Overview } from '../../../../protocol/overview.types.js';
import { operator } from '../../api/client.js';
import { access } from '../../api/session.js';
import { usePoll } from '../../api/use-poll.js';
import { Choice } from '../../components/chip.js';
import { FirstTask } from '../../components/first-task.js';
import { Loaded, Skeleton } from '../../components/state.js';
import { setQuery } from '../../location.js';
import { hashOf } from '../../router.js';
import { plural, t } from '../../words/index.js';
import type { PageProps } from '../page.js';
import { ServiceCard } from './service-card.js';
import { type Range, RANGES } from './service-charts.js';
import { TroubleLine } from './trouble-line.js';
import { isUnused, suspects, troublesOf } from './troubles.js';
import { useUsual } from './use-usual.js';

/** Milliseconds between two looks at what operators have set. */
const STATES_EVERY = 10_000;

export function OverviewPage({ query }: PageProps) {
  const range = query.range && query.range in RANGES ? (query.range as Range) : '60m';
  const overview = usePoll('overview', async (signal) => {
    const answer = await operator.overview({ signal });
    access.value = answer.access;
    return answer;
  });
  return (
    <>
      <h1 class="offscreen">{t('nav.overview')}</h1>
      <Loaded of={overview}>{(data) => <Content overview={data} range={range} onChanged={overview.reload} />}</Loaded>
    </>
  );
}

function Content({ overview, range, onChanged }: { overview: Overview; range: Range; onChanged: () => void }) {
  const { services, callbacks, workers } = overview;
  const states = usePoll('services', (signal) => operator.services({ signal }), STATES_EVERY);
  const usual = useUsual(suspects(services), overview.time);
  const troubles = troublesOf(overview, usual);
  const weightOf = (name: string): number => troubles.find(({ service }) => service === name)?.weight ?? 0;
  return (
    <>
      {isUnused(overview) && troubles.length === 0 ? (
        <FirstTask />
      ) : (
        <section aria-label={t('overview.troubles')} class="troubles">
          {troubles.length === 0 &&
            (suspects(services).every((name) => usual.has(name)) ? (
              <p class="notice is-good">{t('overview.fine')}</p>
            ) : (
              <Skeleton rows={1} />
            ))}
          {troubles.map((trouble) => (
            <TroubleLine
              key={`${trouble.kind} ${trouble.service} ${trouble.origin}`}
              trouble={trouble}
              overview={overview}
              states={states.data ?? []}
            />
          ))}
        </section>
      )}
      <div class="toolbar">
        <Choice
          label={t('overview.range')}
          value={range}
          choices={Object.entries(RANGES).map(([name, { word }]) => [name, t(word)] as const)}
          onChoose={(name) => setQuery({ range: name === '60m' ? undefined : name })}
        />
        <span class="quiet">
          <a href={hashOf(['workers'])}>{plural('overview.workers', workers)}</a> ·{' '}
          <a href={hashOf(['callbacks'], { state: 'pending' })}>{plural('overview.pending', callbacks.pending)}</a>
        </span>
      </div>
      <div class="cards">
        {[...services]
          .sort((a, b) => weightOf(b.service) - weightOf(a.service))
          .map((service) => (
            <ServiceCard key={service.service} service={service} range={range} onChanged={onChanged} />
          ))}
      </div>
    </>
  );
}
