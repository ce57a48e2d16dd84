import { effect } from '@preact/signals';
import { stored } from '../api/stored.js';
import type { Language } from '../format/time.js';
import { en, type Word } from './en.js';
import { zh } from './zh.js';

export type { Word };
/** A word of which `_one` exists, too. */
export type Counted = { [W in Word]: `${W}_one` extends Word ? W : never }[Word];
type Values = Readonly<Record<string, string | number>>;

const CATALOGUES: Record<Language, Record<Word, string>> = { en, zh };
export const LANGUAGES: Readonly<Record<Language, string>> = { en: 'English', zh: '中文' };

const ofBrowser = (): Language => (navigator.languages.some((one) => /^zh\b/i.test(one)) ? 'zh' : 'en');
/** The browser's, until the reader chooses. */
export const language = stored<Language>('language', ofBrowser());
effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : language.value;
});

/** The words of a key, with `{name}` replaced. Components that call it are drawn again when the language changes. */
export const t = (word: Word, values: Values = {}): string =>
  CATALOGUES[language.value][word].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** The same for a number of things: `{n}`, or `shown` in its place, such as `100,000+`. */
export function plural(word: Counted, n: number, values: Values = {}): string {
  const isOne = new Intl.PluralRules(language.value).select(n) === 'one';
  return t(isOne ? (`${word}_one` as Word) : word, { n: new Intl.NumberFormat(language.value).format(n), ...values });
}
