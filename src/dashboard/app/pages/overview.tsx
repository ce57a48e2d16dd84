import type { Overview, ServiceOverview } from '../../../protocol/overview.types.js';
import { operator } from '../api/client.js';
import { access } from '../api/session.js';
import { usePoll } from '../api/use-poll.js';
import { Chip } from '../components/chip.js';
import { FirstTask } from '../components/first-task.js';
import { Loaded } from '../components/state.js';
import { count } from '../format/number.js';
import { duration } from '../format/time.js';
import { hashOf } from '../router.js';
import { codeOf } from '../status.js';
import { language, plural, t } from '../words/index.js';
import { isUnused, type Trouble, troublesOf } from './troubles.js';

export function OverviewPage() {
  const overview = usePoll('overview', async (signal) => {
    const answer = await operator.overview({ signal });
    access.value = answer.access;
    return answer;
  });
  return (
    <>
      <h1 class="offscreen">{t('nav.overview')}</h1>
      <Loaded of={overview}>{(data) => <Content overview={data} />}</Loaded>
    </>
  );
}

function Content({ overview }: { overview: Overview }) {
  const { services, callbacks, workers } = overview;
  const troubles = troublesOf(overview);
  const weightOf = (name: string): number => troubles.find(({ service }) => service === name)?.weight ?? 0;
  return (
    <>
      {isUnused(overview) ? (
        <FirstTask />
      ) : (
        <section aria-label={t('overview.troubles')} class="troubles">
          {troubles.length === 0 && <p class="notice is-good">{t('overview.fine')}</p>}
          {troubles.map((trouble) => (
            <TroubleLine key={`${trouble.kind} ${trouble.service}`} trouble={trouble} overview={overview} />
          ))}
        </section>
      )}
      <div class="cards">
        {[...services]
          .sort((a, b) => weightOf(b.service) - weightOf(a.service))
          .map((service) => (
            <ServiceCard key={service.service} service={service} />
          ))}
      </div>
      <p class="quiet">
        {plural('overview.workers', workers)} · {plural('overview.pending', callbacks.pending)}
      </p>
    </>
  );
}

const nameOf = (service: string): string => service || t('overview.otherServices');

function TroubleLine({ trouble, overview }: { trouble: Trouble; overview: Overview }) {
  const { kind, service } = trouble;
  const of = overview.services.find((one) => one.service === service);
  const name = nameOf(service);
  const [text, href] = {
    old: () =>
      [
        t('overview.trouble.old', {
          service: name,
          age: duration((of?.oldestReadySeconds ?? 0) * 1000, language.value),
          n: of?.running ?? 0,
        }),
        hashOf(['tasks'], { service, status: String(codeOf('BEGIN')) }),
      ] as const,
    failing: () =>
      [
        plural('overview.trouble.failing', of?.last60m.failed ?? 0, { service: name }),
        hashOf(['tasks'], { service, status: String(codeOf('ERROR')) }),
      ] as const,
    paused: () => [t('overview.trouble.paused', { service: name }), hashOf(['services'])] as const,
    callbacks: () =>
      [plural('overview.callbacks.dead', overview.callbacks.dead), hashOf(['callbacks'], { state: 'dead' })] as const,
  }[kind]();
  return (
    <a class={`notice ${kind === 'paused' ? 'is-warning' : 'is-bad'}`} href={href}>
      {text}
    </a>
  );
}

function ServiceCard({ service: one }: { service: ServiceOverview }) {
  const { service, paused, note, last60m, oldestReadySeconds } = one;
  const number = (name: 'ready' | 'waiting' | 'running'): string =>
    count(one[name], language.value, one.atLeast.includes(name));
  return (
    <section class="card">
      <h2>
        <a href={hashOf(['tasks'], { service })}>{nameOf(service)}</a>{' '}
        {paused && <Chip kind="is-paused">{t('overview.paused')}</Chip>}
      </h2>
      {paused && note && <p class="quiet">{note}</p>}
      <dl class="facts">
        <dt>{t('status.ready')}</dt>
        <dd class="number">{number('ready')}</dd>
        <dt>{t('status.waiting')}</dt>
        <dd class="number">{number('waiting')}</dd>
        <dt>{t('status.running')}</dt>
        <dd class="number">{number('running')}</dd>
        <dt>{t('overview.oldest')}</dt>
        <dd class="number">
          {oldestReadySeconds === null ? '–' : duration(oldestReadySeconds * 1000, language.value)}
        </dd>
        <dt>{t('overview.hour')}</dt>
        <dd class="number">
          {t('overview.finished', { n: count(last60m.finished, language.value) })},{' '}
          {t('overview.failed', { n: count(last60m.failed, language.value) })}
        </dd>
      </dl>
    </section>
  );
}
