import { Logger } from '@nestjs/common';
import { TaskError } from '../contract/errors.js';
import { BOUNDS } from '../validation/rules.js';

/** docs/operations.md lists these figures, too. */
export const ANSWERS = {
  /** An answer of up to this many bytes is small: the operating system buffers it whole. */
  small: 64 * 1024,
  /** Bytes of all answers that are being sent: one sum for users, one for workers, one for operators. */
  room: 32 * 1024 * 1024,
  /** Bytes of the answers that are being sent to one user. */
  share: 16 * 1024 * 1024,
  /** Milliseconds that a client may take to read its answer while other answers need the space. */
  patience: 10_000,
} as const;
/** Milliseconds between two log lines. */
const LOG_INTERVAL = 60_000;

/** The client of an answer: what we use of Node's response. With HTTP/2 the state is on the stream. */
export interface Receiver {
  readonly destroyed?: boolean;
  readonly stream?: { readonly destroyed: boolean };
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}
const isGone = ({ destroyed, stream }: Receiver): boolean => (stream ? stream.destroyed : destroyed === true);

/** The answer is full. The client asks for the rest in another request. */
export const FULL = 'full';

/** The answer to a create would be too large. */
export const tooManyBytes = (): TaskError => {
  const msg = `the answer would have more than ${BOUNDS.answerBytes} bytes; send fewer tasks at once`;
  return new TaskError('TOO_LARGE', [{ field: 'body', rule: 'answerBytes', msg }]);
};

/**
 * The answers that are being sent: from before their tasks are read until the client has the answer or is gone. They
 * are held in memory, so their sum is bounded. Small answers are not counted and never refused. A client that reads its
 * answer slowly is disconnected when other answers need the space.
 */
export class AnswerRoom {
  private readonly logger = new Logger('TaskModule');
  private held = 0;
  private readonly shares = new Map<string, number>();
  /** In the order in which they were first counted. */
  private readonly spaces = new Set<AnswerSpace>();
  private toldAt = -Infinity;

  constructor(
    private readonly share: number = ANSWERS.share,
    private readonly now = (): number => performance.now(),
  ) {}

  open(owner: string, receiver: Receiver): AnswerSpace {
    return new AnswerSpace(this, owner, receiver);
  }

  /**
   * Counts `bytes` for this answer in place of its former count. Returns the refusal if they do not fit; `must` counts
   * them anyway.
   */
  count(space: AnswerSpace, bytes: number, must = false): TaskError | undefined {
    const counted = bytes > ANSWERS.small ? bytes : 0;
    const more = counted - space.counted;
    if (more > 0) {
      if (isGone(space.receiver!)) return undefined;
      const refusal = this.refusal(space, more);
      if (refusal && !must) return refusal;
    }
    if (space.counted === 0 && counted > 0) this.add(space);
    this.change(space, more);
    return undefined;
  }

  /** The clock that `sentAt` uses. */
  time(): number {
    return this.now();
  }

  private add(space: AnswerSpace): void {
    if (this.spaces.has(space)) return;
    this.spaces.add(space);
    space.receiver!.once('close', () => this.release(space));
  }

  private release(space: AnswerSpace): void {
    if (this.spaces.delete(space)) this.change(space, -space.counted);
  }

  private change(space: AnswerSpace, more: number): void {
    space.counted += more;
    this.held += more;
    const share = (this.shares.get(space.owner) ?? 0) + more;
    if (share > 0) this.shares.set(space.owner, share);
    else this.shares.delete(space.owner);
  }

  /** An answer that is larger than the whole room is admitted while no other answer is counted. */
  private refusal(space: AnswerSpace, more: number): TaskError | undefined {
    const own = (): number => this.shares.get(space.owner) ?? 0;
    const isOver = (held: number, most: number): boolean => held > space.counted && held + more > most;
    while (isOver(own(), this.share) && this.dropSlow(space.owner));
    if (isOver(own(), this.share))
      return this.refuse(`${own()} bytes of your answers are not read yet; read them first, or ask for fewer tasks`);
    while (isOver(this.held, ANSWERS.room) && this.dropSlow());
    if (isOver(this.held, ANSWERS.room))
      return this.refuse(`${this.held} bytes of answers are being sent; retry after the Retry-After header`);
    return undefined;
  }

  /**
   * Disconnects the client whose answer was sent first, if it has had 10 s to read it. Returns false if there is none.
   */
  private dropSlow(owner?: string): boolean {
    const before = this.now() - ANSWERS.patience;
    const slow = [...this.spaces].find(
      (space) => space.sentAt !== undefined && space.sentAt < before && (owner ?? space.owner) === space.owner,
    );
    if (!slow) return false;
    this.release(slow);
    slow.receiver!.destroy();
    return true;
  }

  private refuse(msg: string): TaskError {
    const now = this.now();
    if (now - this.toldAt >= LOG_INTERVAL) this.logger.warn(`A large answer was refused by TOO_MANY_REQUESTS: ${msg}.`);
    this.toldAt = Math.max(this.toldAt, now);
    return new TaskError('TOO_MANY_REQUESTS', { msg });
  }
}

/** Users, workers and operators have separate rooms, so that large lists of one never block another. */
export class AnswerRooms {
  readonly user = new AnswerRoom();
  /** All workers count as one owner, because they share their tokens. */
  readonly worker = new AnswerRoom(ANSWERS.room);
  /** All operators count as one owner. */
  readonly operator = new AnswerRoom(ANSWERS.room);
}

/**
 * The bytes that one answer holds. In a call by the host's own code there is no room: only the answer itself is
 * bounded.
 */
export class AnswerSpace {
  /** Bytes that the room counts. */
  counted = 0;
  /** When the answer was sent. */
  sentAt: number | undefined;
  private readonly parts = new Map<unknown, number>();
  private total = 0;

  constructor(
    private readonly room?: AnswerRoom,
    readonly owner = '',
    readonly receiver?: Receiver,
  ) {}

  /**
   * Reserves bytes for a part of the answer. Returns FULL if the answer would grow too large, or a refusal if the room
   * has no space. The first part may have any size, because no other request could ever show it.
   */
  hold(part: unknown, bytes: number): typeof FULL | TaskError | undefined {
    const others = this.total - (this.parts.get(part) ?? 0);
    if (others > 0 && others + bytes > BOUNDS.answerBytes) return FULL;
    const refusal = this.room?.count(this, others + bytes);
    if (refusal) return refusal;
    this.parts.set(part, bytes);
    this.total = others + bytes;
    return undefined;
  }

  /** Releases all bytes: the script that fills the answer starts again, or the client has read them. */
  clear(): void {
    if (this.total === 0) return;
    this.parts.clear();
    this.total = 0;
    this.sentAt = undefined;
    this.room?.count(this, 0);
  }

  /** The answer is complete and has this many bytes. Returns the refusal if it does not fit; `must` sends it anyway. */
  send(bytes = this.counted, must = true): TaskError | undefined {
    const refusal = this.room?.count(this, bytes, must);
    this.sentAt = this.room?.time();
    return refusal;
  }

  /** Keeps the bookkeeping out of logs that print a request's input. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return 'AnswerSpace';
  }
}

const SPACE = Symbol('softdd.task.answerSpace');

/** Attaches the space of the answer to the request's input, so that a host's own handler passes it on. */
export function noteSpace(input: unknown, space: AnswerSpace | undefined): void {
  if (space && typeof input === 'object' && input !== null && Object.isExtensible(input))
    (input as { [SPACE]?: AnswerSpace })[SPACE] = space;
}

/** The attached space. Code of the host that attached none gets a space without a room. */
export const spaceOf = (input: unknown): AnswerSpace =>
  (input as { [SPACE]?: AnswerSpace } | undefined)?.[SPACE] ?? new AnswerSpace();
