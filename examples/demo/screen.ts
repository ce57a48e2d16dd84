import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { STATUS, type Task } from '@softdd/task/client';

/** Shows tasks: as bars in a terminal, as a line a change elsewhere. */
export interface Screen {
  say(line: string): void;
  show(tasks: Task[]): void;
  end(): void;
}

const PLACES = new Map<number, string>([
  [STATUS.INIT, 'draft'],
  [STATUS.WAITING, 'rests'],
  [STATUS.BEGIN, 'ready'],
  [STATUS.START, 'at work'],
  [STATUS.FINISHED, 'finished'],
  [STATUS.ERROR, 'failed'],
  [STATUS.CANCELLED, 'cancelled'],
]);

/** Where a task is, in words. */
export const placeOf = ({ status, attempt, output, error }: Task): string => {
  const again = attempt > 1 ? `, attempt ${attempt}` : '';
  const reason = error && status !== STATUS.FINISHED ? `: ${error}` : '';
  return `${PLACES.get(status) ?? status}${again}${reason}${output && ` -> ${output}`}`;
};

const nameOf = ({ service, input }: Task): string => `${service.padEnd(9)} ${input.padEnd(10)}`;

export const openScreen = (): Screen => (process.stdout.isTTY ? new Bars() : new Lines());

/** Where each line is drawn anew: a line that is said above the bars moves them all, also those that did not change. */
class Bars implements Screen {
  private readonly bars = new Map<string, SingleBar>();
  private readonly all = new MultiBar(
    {
      format: '{name} {bar} {percentage}%  {place}',
      barsize: 20,
      hideCursor: true,
      autopadding: true,
      forceRedraw: true,
    },
    Presets.shades_classic,
  );

  say(line: string): void {
    if (this.bars.size > 0) this.all.log(`${line}\n`);
    else console.log(line);
  }

  show(tasks: Task[]): void {
    for (const task of tasks) {
      const bar = this.bars.get(task.taskId) ?? this.all.create(100, 0, { name: nameOf(task), place: '' });
      this.bars.set(task.taskId, bar);
      bar.update(task.progress, { name: nameOf(task), place: placeOf(task).split('\n')[0] });
    }
  }

  end(): void {
    // Twice, it would move the cursor up again.
    if (this.bars.size > 0) this.all.stop();
    this.bars.clear();
  }
}

class Lines implements Screen {
  private readonly shown = new Map<string, string>();

  say(line: string): void {
    console.log(line);
  }

  show(tasks: Task[]): void {
    for (const task of tasks) {
      // Every quarter is news enough.
      const line = `${nameOf(task)} ${String(task.progress - (task.progress % 25)).padStart(3)} %  ${placeOf(task)}`;
      if (this.shown.get(task.taskId) !== line) console.log(line);
      this.shown.set(task.taskId, line);
    }
  }

  end(): void {}
}
