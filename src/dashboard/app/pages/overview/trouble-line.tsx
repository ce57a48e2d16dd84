import type { Overview } from '../../../../protocol/overview.types.js';
import type { ServiceState } from '../../../../protocol/operator.types.js';
import { percent } from '../../format/number.js';
import { duration, relative } from '../../format/time.js';
import { now } from '../../components/time.js';
import { hashOf } from '../../router.js';
import { codeOf } from '../../status.js';
import { language, plural, t } from '../../words/index.js';
import { nameOf } from './service-card.js';
import { failuresOf, type Trouble } from './troubles.js';

interface TroubleProps {
  trouble: Trouble;
  overview: Overview;
  /** What operators have set, once it is read. */
  states: readonly ServiceState[];
}

type Line = readonly [text: string, href: string];

/** What is wrong as a sentence, which leads to the page that shows it. */
export function TroubleLine(props: TroubleProps) {
  const [text, href] = LINES[props.trouble.kind](props);
  return (
    <a class={`notice ${['paused', 'flood'].includes(props.trouble.kind) ? 'is-warning' : 'is-bad'}`} href={href}>
      {text}
    </a>
  );
}

const LINES: Record<Trouble['kind'], (props: TroubleProps) => Line> = {
  old: ({ trouble: { service }, overview }) => {
    const { oldestReadySeconds, running } = overview.services.find((one) => one.service === service)!;
    const age = duration((oldestReadySeconds ?? 0) * 1000, language.value);
    return [t('overview.trouble.old', { service: nameOf(service), age, n: running }), tasks(service, 'BEGIN')];
  },
  failing: ({ trouble: { service }, overview }) => {
    const { last60m } = overview.services.find((one) => one.service === service)!;
    const text = plural('overview.trouble.failing', failuresOf(last60m), { service: nameOf(service) });
    // Those that get another attempt wait for it.
    return [text, tasks(service, last60m.failed > 0 ? 'ERROR' : 'WAITING')];
  },
  flood: ({ trouble: { service, userId = '', part = 0 } }) => [
    t('overview.trouble.flood', { service, owner: userId, part: percent(part, 1, language.value) }),
    tasks(service, 'BEGIN', userId),
  ],
  dead: ({ trouble: { origin = '', dead = 0 } }) => [
    plural('overview.trouble.dead', dead, { origin: origin || t('overview.otherOrigins') }),
    hashOf(['callbacks'], { state: 'dead', origin }),
  ],
  paused: ({ trouble: { service }, overview, states }) => [
    pausedText(
      service,
      overview.services.find((one) => one.service === service)?.note ?? null,
      states.find((one) => one.service === service),
    ),
    hashOf(['services']),
  ],
};

const tasks = (service: string, role: 'BEGIN' | 'ERROR' | 'WAITING', userId?: string): string =>
  hashOf(['tasks'], { service, status: String(codeOf(role)), userId });

function pausedText(service: string, note: string | null, state: ServiceState | undefined): string {
  const { changedBy = null, changedAt = null } = state ?? {};
  const since = changedAt === null ? '' : relative(Date.parse(changedAt), now.value, language.value);
  const text =
    changedBy === null
      ? t('overview.trouble.paused', { service })
      : t('overview.trouble.pausedBy', { service, by: changedBy, since });
  return note ? `${text}: ${note}` : text;
}
