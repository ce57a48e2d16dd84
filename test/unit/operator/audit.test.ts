import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { Audit, type OperatorAction } from '../../../src/operator/audit.js';
import { until } from '../../support/until.js';

class Lines extends ConsoleLogger {
  readonly lines: string[] = [];
  override log(message: unknown): void {
    this.lines.push(String(message));
  }
  override error(message: unknown): void {
    this.lines.push(String(message));
  }
}

describe('the audit', () => {
  let logger: Lines;
  beforeEach(() => Logger.overrideLogger((logger = new Lines())));
  afterEach(() => Logger.overrideLogger(new ConsoleLogger()));

  const removal = (count: number): OperatorAction => ({
    action: 'delete',
    by: 'olga',
    count,
    detail: { ids: Array.from({ length: count }, (_, index) => `id-${index}`) },
  });

  it('shows a few of a thousand ids in the log, and tells listeners all', () => {
    const audit = new Audit();
    const heard: OperatorAction[] = [];
    audit.on((action) => void heard.push(action));
    audit.tell(removal(1000));
    expect(logger.lines).toEqual(['olga: delete of 1000: {"ids":["id-0","id-1","id-2","id-3","id-4","and 995 more"]}']);
    expect(heard).toEqual([removal(1000)]);
  });

  it('shows five ids whole', () => {
    new Audit().tell(removal(5));
    expect(logger.lines).toEqual(['olga: delete of 5: {"ids":["id-0","id-1","id-2","id-3","id-4"]}']);
  });

  it('logs that a listener failed, and calls the next one', async () => {
    const audit = new Audit();
    const heard: string[] = [];
    audit.on(() => {
      throw new Error('at once');
    });
    audit.on(() => Promise.reject(new Error('later')));
    audit.on(({ action }) => void heard.push(action));
    audit.tell(removal(1));
    await until('both failures are logged', async () => logger.lines.length === 3);
    expect(logger.lines.slice(1)).toEqual(Array(2).fill("a listener failed on an operator's delete"));
    expect(heard).toEqual(['delete']);
  });
});
