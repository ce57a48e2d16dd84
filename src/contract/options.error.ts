/** Invalid options. Each problem names the option, its value, and the allowed values. */
export class TaskOptionsError extends Error {
  constructor(
    registration: string,
    readonly problems: OptionProblem[],
  ) {
    super(
      `TaskModule '${registration}' can't start:\n` +
        problems.map(({ option, msg }) => `  - ${option}: ${msg}`).join('\n'),
    );
    this.name = 'TaskOptionsError';
  }
}
export interface OptionProblem {
  option: string;
  msg: string;
  value?: unknown;
}
