import { useState } from 'preact/hooks';
import type { Fair, ServiceChanges, ServiceState } from '../../../protocol/operator.types.js';
import { act } from '../api/act.js';
import { operator } from '../api/client.js';
import { mayChange } from '../api/session.js';
import { count } from '../format/number.js';
import { duration } from '../format/time.js';
import { language, t, type Word } from '../words/index.js';
import { Button } from './button.js';
import { ask } from './dialog.js';
import { Progress } from './progress.js';

export type Limits = Pick<ServiceState, 'maxRunning' | 'maxRunningPerOwner' | 'rate' | 'fair' | 'running'> &
  Partial<Pick<ServiceState, 'sources'>>;

/** A service that has none. */
export const NO_LIMITS: Limits = { maxRunning: null, maxRunningPerOwner: null, rate: null, fair: false, running: null };

/** What limits a service, in words. */
export function limitsText({ maxRunning, maxRunningPerOwner, rate, fair }: Limits): string {
  const n = (value: number): { n: string } => ({ n: count(value, language.value) });
  const parts = [
    maxRunning !== null && t('services.limits.running', n(maxRunning)),
    maxRunningPerOwner !== null && t('services.limits.runningPerOwner', n(maxRunningPerOwner)),
    rate && t('services.limits.rateOf', { ...n(rate.max), time: duration(rate.per * 1000, language.value) }),
    fair !== false && t(fair === 'group' ? 'services.fair.groups' : 'services.fair.owners'),
  ];
  return parts.filter(Boolean).join(', ') || t('services.limits.none');
}

/** How many of the tasks that may run do. */
export function LimitsBar({ maxRunning, running }: Limits) {
  if (maxRunning === null || running === null) return null;
  const words = { running: count(running, language.value), most: count(maxRunning, language.value) };
  return <Progress value={running} most={maxRunning} label={t('services.limits.bar', words)} />;
}

interface LimitsProps {
  service: string;
  limits: Limits;
  onChanged: () => void;
}

/** Changes the limits of a service. What is emptied is given back to the host's options, the rest stays as it is. */
export function LimitsButton({ service, limits, onChanged }: LimitsProps) {
  const change = async (): Promise<void> => {
    const before = wishOf(limits);
    const wish = { ...before };
    const isWanted = await ask({
      title: t('services.limits.ask', { service }),
      text: t('services.limits.text'),
      fields: [...NUMBERS.map((name) => <NumberField key={name} name={name} wish={wish} />), <FairField wish={wish} />],
      action: t('services.limits.edit'),
    });
    const changes = changesOf(before, wish);
    if (!isWanted || Object.keys(changes).length === 0) return;
    await act(
      () => operator.setService(service, changes),
      () => t('services.limits.done', { service }),
    );
    onChanged();
  };
  if (service === '' || !mayChange()) return null;
  return (
    <Button
      label={`${t('services.limits.edit')}: ${t('services.limits.ask', { service })}`}
      onClick={() => void change()}
    >
      {t('services.limits.edit')}
    </Button>
  );
}

const NUMBERS = ['maxRunning', 'maxRunningPerOwner', 'max', 'per', 'burst'] as const;
type NumberName = (typeof NUMBERS)[number];
const WORDS: Record<NumberName, Word> = {
  maxRunning: 'services.limits.maxRunning',
  maxRunningPerOwner: 'services.limits.perOwner',
  max: 'services.limits.rate',
  per: 'services.limits.per',
  burst: 'services.limits.burst',
};

/** Who takes turns, by the value of the choice. `option`: what the host's option says. */
const FAIR: Record<string, { value: Fair | null; word: Word }> = {
  option: { value: null, word: 'services.fair.option' },
  off: { value: false, word: 'services.fair.off' },
  owners: { value: true, word: 'services.fair.owners' },
  groups: { value: 'group', word: 'services.fair.groups' },
};

/** What stands in the fields. */
type Wish = Record<NumberName | 'fair', string>;

function wishOf({ maxRunning, maxRunningPerOwner, rate, fair, sources }: Limits): Wish {
  const text = (value: number | null | undefined): string => (value === null ? '' : String(value ?? ''));
  const isOwn = sources?.fair === 'operator';
  return {
    maxRunning: text(maxRunning),
    maxRunningPerOwner: text(maxRunningPerOwner),
    max: text(rate?.max),
    per: text(rate?.per),
    burst: rate && rate.burst !== rate.max ? text(rate.burst) : '',
    fair: isOwn ? Object.keys(FAIR).find((name) => FAIR[name]!.value === fair)! : 'option',
  };
}

/** Only what the reader has changed: what an option says stays the option's. */
function changesOf(before: Wish, wish: Wish): ServiceChanges {
  const isChanged = (...names: (keyof Wish)[]): boolean => names.some((name) => wish[name] !== before[name]);
  const numberIn = (text: string): number | null => (text === '' ? null : Number(text));
  const rate = { max: Number(wish.max), per: Number(wish.per || '1') };
  const burst = wish.burst === '' ? {} : { burst: Number(wish.burst) };
  return {
    ...(isChanged('maxRunning') && { maxRunning: numberIn(wish.maxRunning) }),
    ...(isChanged('maxRunningPerOwner') && { maxRunningPerOwner: numberIn(wish.maxRunningPerOwner) }),
    ...(isChanged('max', 'per', 'burst') && { rate: wish.max === '' ? null : { ...rate, ...burst } }),
    ...(isChanged('fair') && { fair: FAIR[wish.fair]!.value }),
  };
}

function NumberField({ name, wish }: { name: NumberName; wish: Wish }) {
  return (
    <label class="field">
      <span>{t(WORDS[name])}</span>
      <input
        type="number"
        name={name}
        min={0}
        step="any"
        defaultValue={wish[name]}
        onInput={(event) => (wish[name] = event.currentTarget.value)}
      />
    </label>
  );
}

function FairField({ wish }: { wish: Wish }) {
  const [choice, setChoice] = useState(wish.fair);
  const choose = (value: string): void => {
    wish.fair = value;
    setChoice(value);
  };
  return (
    <label class="field">
      <span>{t('services.fair')}</span>
      <select name="fair" value={choice} onChange={(event) => choose(event.currentTarget.value)}>
        {Object.entries(FAIR).map(([name, { word }]) => (
          <option key={name} value={name}>
            {t(word)}
          </option>
        ))}
      </select>
    </label>
  );
}
