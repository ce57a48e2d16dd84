/** A count with the separators of the language. `isAtLeast`: counting ended there. */
export const count = (value: number, language: string, isAtLeast = false): string =>
  `${new Intl.NumberFormat(language).format(value)}${isAtLeast ? '+' : ''}`;

/** A part of a whole, such as `42 %`. A part that is not nothing is never 0 %, and one that lacks something never 100 %. */
export function percent(part: number, whole: number, language: string): string {
  const exact = whole === 0 ? 0 : part / whole;
  const shown = exact > 0 && exact < 0.01 ? 0.01 : exact < 1 && exact > 0.99 ? 0.99 : exact;
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(shown);
}
