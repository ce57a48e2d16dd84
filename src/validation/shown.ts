/**
 * A setting in a form that a message may show: without passwords in URLs, and without the values of parameters whose
 * names sound like secrets. A password may contain any character, so everything up to the last @ counts as one.
 */
export const withoutSecrets = (text: string): string =>
  text
    .replace(
      /^(\w+:\/\/[^:/@]*)?(.*)@/s,
      (_, start: string | undefined, secret: string) => `${start ?? ''}${secret && ':***'}@`,
    )
    .replaceAll(/([\w-]*(?:passw|pwd|secret|token|key|sig)[\w-]*\s*=\s*)[^&\s]*/gi, '$1***');
