import { expect, it } from '@jest/globals';
import { failureLine } from '../../../src/queue/failure-line.js';
import type { Task } from '../../../src/index.js';

const line = (more: Partial<Task>): string =>
  failureLine({ taskId: 'id', service: 'video', userId: 'alice', attempts: 2, ...more } as Task);

it.each([
  ['no error', null, 'no error was given'],
  ['an empty one', ' \n ', 'no error was given'],
  ['several lines', 'first\r\nsecond', 'first'],
  ['a traceback', 'Traceback (most recent call last):\n  File "x"\nValueError: no', 'ValueError: no'],
  ['a terminal sequence', 'a\u001b[31mb\u0000\u009bc', 'a\\u{1b}[31mb\\u{0}\\u{9b}c'],
  ['other ends of lines', 'a\u2028b\u2029c\u0085d', 'a\\u{2028}b\\u{2029}c\\u{85}d'],
  ['text that turns round', 'a\u202eb', 'a\\u{202e}b'],
  ['a long line', 'x'.repeat(65_535), `${'x'.repeat(200)}…`],
])('a task that failed is one line of the log, with %s', (_, error, end) => {
  expect(line({ error })).toBe(`task "id" has failed: service "video", owner "alice", attempt 2: ${end}`);
});

it('keeps what users choose inside its quotes', () => {
  expect(line({ service: 'a", owner "root', userId: 'b\nERROR fake', error: 'x' })).toBe(
    'task "id" has failed: service "a\\", owner \\"root", owner "b\\\\u{a}ERROR fake", attempt 2: x',
  );
});
