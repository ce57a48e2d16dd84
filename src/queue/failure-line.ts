import type { Task } from '../contract/task.entity.js';

/** Characters of a task's error that the log line shows. */
const LONGEST = 200;

/**
 * Control characters, line separators and marks that change the direction of text. Escaped, so that a log line stays
 * one line.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The log line of a task that has failed for good. Its length is bounded, and user text cannot break the line. */
export function failureLine({ taskId, service, userId, attempts, error }: Task): string {
  return (
    `task ${quoted(taskId)} has failed: service ${quoted(service)}, owner ${quoted(userId)}, attempt ${attempts}: ` +
    (firstLine(error) || 'no error was given')
  );
}

const quoted = (text: string): string => JSON.stringify(safe(text));

const safe = (text: string): string =>
  text.replaceAll(UNSAFE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);

function firstLine(error: string | null | undefined): string {
  const lines = (error ?? '').trim().split(/[\r\n]+/);
  // In a Python traceback the last line names the error.
  const line = (/^Traceback \(most recent call last\):/.test(lines[0]!) ? lines.at(-1)! : lines[0]!).trim();
  return safe(line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line);
}
