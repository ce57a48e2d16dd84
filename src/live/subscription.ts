import type { AnswerSpace } from '../queue/answer-room.js';
import { invalid, check } from '../validation/invalid.js';
import { batchIdRule, nameRule, someIdsRule, userIdRule } from '../validation/rules.js';
import type { LiveFilter } from './live.store.js';
import type { StreamReceiver } from './live-stream.js';

/** Which of an owner's tasks to watch: `ids`, or one or more of `service`, `group` and `batchId`. */
export interface WatchOptions {
  userId: string;
  /** These tasks, at most 1,000. */
  ids?: string[] | undefined;
  /** The newest 1,000 of this service, and new ones. */
  service?: string | undefined;
  /** The newest 1,000 of this group, and new ones. */
  group?: string | undefined;
  /** The newest 1,000 of this batch, and new ones. */
  batchId?: string | undefined;
  /** The `id` of the last event that the client has seen: without a change since then, it gets no snapshot. */
  lastEventId?: string | undefined;
}

/** How a stream is sent. */
export interface Opening {
  space: AnswerSpace;
  /** When the client's token expires, in milliseconds since 1970. The stream ends then. */
  expiresAt?: number | undefined;
  /** Sends the head of the answer. Until then an error can still be answered. */
  head: () => void;
}

/** Opens subscriptions. */
interface Opener {
  open(subscription: Subscription, receiver: StreamReceiver, opening: Opening): Promise<void>;
}

/** What a client wants to watch. It takes nothing up until it is opened. */
export class Subscription {
  readonly userId: string;
  readonly filter: LiveFilter;
  readonly lastEventId: string | undefined;

  /** INVALID_PARAM. */
  constructor(
    private readonly room: Opener,
    { userId, ids, service, group, batchId, lastEventId }: WatchOptions,
  ) {
    check('userId', userId, userIdRule);
    if (ids !== undefined) check('ids', ids, someIdsRule);
    if (service !== undefined) check('service', service, nameRule);
    if (group !== undefined) check('group', group, nameRule);
    if (batchId !== undefined) check('batchId', batchId, batchIdRule);
    const isFiltered = service !== undefined || group !== undefined || batchId !== undefined;
    if (ids === undefined && !isFiltered)
      throw invalid([
        {
          field: 'ids',
          rule: 'isDefined',
          msg: 'ids, service, group or batchId is required: say which tasks to watch',
        },
      ]);
    if (ids !== undefined && isFiltered)
      throw invalid([
        {
          field: 'ids',
          rule: 'either',
          msg: 'ids excludes service, group and batchId; send ids alone, or without it the others',
        },
      ]);
    this.userId = userId;
    this.filter = { ids, service, group, batchId };
    this.lastEventId = lastEventId;
  }

  open(receiver: StreamReceiver, opening: Opening): Promise<void> {
    return this.room.open(this, receiver, opening);
  }
}
