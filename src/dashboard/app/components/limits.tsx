import type { ServiceState } from '../../../protocol/operator.types.js';
import { act } from '../api/act.js';
import { operator } from '../api/client.js';
import { mayChange } from '../api/session.js';
import { count } from '../format/number.js';
import { duration } from '../format/time.js';
import { language, t, type Word } from '../words/index.js';
import { Button } from './button.js';
import { ask } from './dialog.js';

type Limits = Pick<ServiceState, 'maxRunning' | 'rate'>;

/** What limits a service, in words. */
export function limitsText({ maxRunning, rate }: Limits): string {
  const parts = [
    maxRunning !== null && t('services.limits.running', { n: count(maxRunning, language.value) }),
    rate &&
      t('services.limits.rateOf', {
        n: count(rate.max, language.value),
        time: duration(rate.per * 1000, language.value),
      }),
  ];
  return parts.filter(Boolean).join(', ') || t('services.limits.none');
}

interface LimitsProps {
  service: string;
  limits: Limits;
  onChanged: () => void;
}

/** Changes the limits of a service. What is left empty is given back to the host's options. */
export function LimitsButton({ service, limits: { maxRunning, rate }, onChanged }: LimitsProps) {
  const change = async (): Promise<void> => {
    const wish = { maxRunning: text(maxRunning), max: text(rate?.max), per: text(rate?.per) };
    const isWanted = await ask({
      title: t('services.limits.ask', { service }),
      text: t('services.limits.text'),
      fields: FIELDS.map(([name, word]) => <NumberField key={name} name={name} word={word} wish={wish} />),
      action: t('services.limits.edit'),
    });
    if (!isWanted) return;
    const newRate = wish.max === '' ? null : { max: Number(wish.max), per: Number(wish.per || '1') };
    await act(
      () =>
        operator.setService(service, {
          maxRunning: wish.maxRunning === '' ? null : Number(wish.maxRunning),
          rate: newRate,
        }),
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

const FIELDS: readonly (readonly [name: 'maxRunning' | 'max' | 'per', word: Word])[] = [
  ['maxRunning', 'services.limits.maxRunning'],
  ['max', 'services.limits.rate'],
  ['per', 'services.limits.per'],
];

const text = (value: number | null | undefined): string => (value === null || value === undefined ? '' : String(value));

function NumberField({
  name,
  word,
  wish,
}: {
  name: 'maxRunning' | 'max' | 'per';
  word: Word;
  wish: Record<string, string>;
}) {
  return (
    <label class="field">
      <span>{t(word)}</span>
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
