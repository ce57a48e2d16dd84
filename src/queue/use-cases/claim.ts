import { TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import { ALONE, type Command, done, failed, type Outcome, type Size } from '../../database/group-commit.js';
import { transaction } from '../../database/database.js';
import type { TaskValues } from '../stores/columns.js';
import type { TaskChange } from '../stores/task.store.js';
import type { QueueEvent } from '../events.js';
import { type Row, type Script, together } from '../../database/transaction.js';
import { workerAnswerBytes } from '../answer-bytes.js';
import { spaceOf } from '../answer-room.js';
import { checkClaim, type Claim, type ClaimOptions, entry, entryOf, isWithdrawal, keyOf } from './claim-options.js';
import { byService } from './claims-by-service.js';
import { Deal } from './deal.js';
import { newToken } from '../lease-token.js';
import type { Allowance, WaitReason } from '../gates.js';
import { untilFree } from './held-up.js';
import { enter, Starts } from './starts.js';
import { traceClaim } from './traced-claim.js';
import type { Queue } from '../queue.js';
import { isIdLike } from '../../validation/rules.js';
import { eventsOf } from '../hooks.js';
import { claimed, unclaimed } from '../transitions.js';
import { noteWait } from '../wait-reason.js';
import type { WaitingRoom } from '../waiting/waiting-room.js';

/** Why a claim's signal is aborted if its client got another answer: the client does not ask for these tasks again. */
export const ANSWERED_OTHERWISE = Symbol('softdd.task.answered');

interface ClaimResult<T extends Task> {
  /** undefined: the claim was withdrawn. */
  tasks: T[] | undefined;
  /** The events of tasks that were taken now. A repeated answer has none. */
  started?: QueueEvent<T>[];
  /** Locked rows that no claim had room for. Their locks are now released. */
  left?: Row[];
  /** Why there is none, if a pause or a limit is the reason. */
  wait?: WaitReason | undefined;
  /** There is none because other transactions hold limited services. */
  isHeld?: boolean | undefined;
}

/** Gives ready tasks to workers, each task to exactly one. */
export class Claims<T extends Task> implements Command<Claim, ClaimResult<T>> {
  /** Claims without a service take longer, so they share no transaction with the others. */
  private readonly ofAnyService: Command<Claim, ClaimResult<T>> = {
    script: (claims) => this.script(claims),
    keys: (claim) => this.keys(claim),
    size: (claim) => this.size(claim),
  };

  constructor(
    private readonly queue: Queue<T>,
    private readonly waiting: WaitingRoom,
  ) {}

  async claim(options: ClaimOptions): Promise<T[]> {
    const { service, group, taskId, signal } = options;
    checkClaim(options);
    if (taskId !== undefined && !isIdLike(taskId)) return [];
    const filter = { service, group, taskId };
    const seconds = isWithdrawal(options) ? 0 : (options.wait ?? 0);
    const space = spaceOf(options);
    const startTime = Date.now();
    const began = performance.now();
    let wait: WaitReason | undefined;
    const tasks = await this.waiting.claim({ filter, seconds, signal, key: keyOf(options) }, (isLast) =>
      this.attempt(Object.assign({}, options, { space, isLook: isLast }), (reason) => (wait = reason)),
    );
    const { traces, hooks } = this.queue;
    traceClaim(traces, tasks, options, startTime);
    const isEmpty = tasks.length === 0;
    if (!signal?.aborted && !isWithdrawal(options))
      hooks.polled(service, isEmpty ? (wait ?? 'empty') : 'claimed', performance.now() - began);
    return isEmpty ? noteWait(tasks, wait) : tasks;
  }

  private async attempt(options: Claim, tell: (wait: WaitReason | undefined) => void): Promise<T[] | undefined> {
    const { service, taskId, signal, idempotencyKey } = options;
    if (signal?.aborted) return [];
    const isOfAnyService = service === undefined && taskId === undefined;
    const command = isOfAnyService ? this.ofAnyService : this;
    const began = performance.now();
    const { tasks, started = [], left, wait } = await untilFree(() => this.queue.groupCommit.run(command, options));
    if (!options.isLook) tell(wait);
    this.queue.hooks.looked(performance.now() - began);
    if (left) this.queue.ready.left(left);
    if (!tasks) return undefined;
    // A client with a key repeats the request and gets the tasks. Without a key they would wait until their leases ran
    // out.
    if (signal?.aborted && (idempotencyKey === undefined || signal.reason === ANSWERED_OTHERWISE)) {
      await this.undo(tasks);
      return [];
    }
    this.queue.hooks.committed(started);
    return tasks;
  }

  *script(claims: Claim[]): Script<Outcome<ClaimResult<T>>[]> {
    for (const { space } of claims) space.clear();
    const outcomes = yield* this.answeredBefore(claims);
    const unanswered = claims.filter((claim) => !outcomes.has(claim));
    // If nobody can receive the answer, nothing is taken.
    const open = unanswered.filter((claim) => !claim.signal?.aborted && !claim.isLook && !isWithdrawal(claim));
    const allowance = this.queue.gates.allowance(claims.length === 1);
    const held = allowance ? yield* enter(open, allowance) : new Set<Claim>();
    for (const claim of held) outcomes.set(claim, ALONE);
    const deals = yield* this.takeAll(
      open.filter((claim) => !held.has(claim)),
      allowance,
    );
    // What others hold, a claim that is alone may wait for.
    const heldUp = claims.length === 1 ? [] : deals.filter(({ isHeld }) => isHeld);
    for (const claim of heldUp.flatMap((deal) => deal.claims)) outcomes.set(claim, ALONE);
    const shares = deals.flatMap((deal) => deal.shares).filter(({ claim }) => !outcomes.has(claim));
    for (const { claim, refusal, ...result } of shares) outcomes.set(claim, refusal ? failed(refusal) : done(result));
    const used = shares.flatMap(({ claim, tasks }) => entryOf(claim, tasks));
    const withdrawn = unanswered.filter(isWithdrawal).map((claim) => entry(keyOf(claim)!, []));
    yield* this.queue.keys.add([...used, ...withdrawn]);
    return claims.map((claim) => outcomes.get(claim) ?? done({ tasks: [] }));
  }

  keys(claim: ClaimOptions): string[] {
    const key = keyOf(claim);
    return key === undefined ? [] : [key];
  }

  /** A withdrawal takes no task, but writes a key. */
  size({ limit = 1 }: ClaimOptions): Size {
    return { rows: Math.max(limit, 1), chars: 0 };
  }

  /**
   * Answers for keys that were answered before, while those leases last. `tasks` is undefined for a withdrawn claim.
   */
  private *answeredBefore(claims: Claim[]): Script<Map<Claim, Outcome<ClaimResult<T>>>> {
    const { keys, tasks } = this.queue;
    const answered = new Map<Claim, Outcome<ClaimResult<T>>>();
    const known = yield* keys.known(claims.flatMap((claim) => this.keys(claim)));
    for (const claim of claims) {
      const entry = known.get(keyOf(claim) ?? '');
      if (!entry) continue;
      if (entry.taskIds.length === 0) {
        answered.set(claim, done({ tasks: undefined }));
        continue;
      }
      const held: T[] = [];
      let refusal: unknown;
      yield* tasks.each(entry.taskIds, (task) => {
        if (!this.isHeldBy(task, entry.id)) return true;
        refusal = claim.space.hold(task.taskId, workerAnswerBytes(task));
        if (!refusal) held.push(task);
        return !refusal;
      });
      // All tasks or none: the worker would not ask for the others.
      if (refusal instanceof TaskError) answered.set(claim, failed(refusal));
      else if (held.length > 0) answered.set(claim, done({ tasks: held }));
      // No lease is left: the key is free for a new claim.
      else yield* keys.drop(entry);
    }
    return answered;
  }

  private isHeldBy(task: T, claimKey: string): boolean {
    return task.claimKey === claimKey && this.queue.lifeCycle.isHeld(task.status);
  }

  /** Different services are independent. Filters that may find the same tasks run one after the other. */
  private *takeAll(claims: Claim[], allowance: Allowance | undefined): Script<Deal<T>[]> {
    const { apart, crossing } = byService(claims);
    const deals: Deal<T>[] = [];
    // One filter of each service per turn.
    for (let turn = 0; ; turn++) {
      const next = apart.map((filters) => filters[turn]).filter((filter) => filter !== undefined);
      if (next.length === 0) break;
      deals.push(...(yield* this.take(next, allowance)));
    }
    for (const filter of crossing) deals.push(...(yield* this.take([filter], allowance)));
    return deals;
  }

  /** Deals the ready tasks of filters that have no task in common to their claims. BEGIN to START. */
  private *take(filters: Claim[][], allowance: Allowance | undefined): Script<Deal<T>[]> {
    const { ready, tasks } = this.queue;
    const deals = filters.map((claims) => new Deal<T>(claims));
    const most = deals.reduce((sum, { wanted }) => sum + wanted, 0);
    const found = yield* together(deals.map(({ claims, wanted }) => ready.find(claims[0]!, wanted, most, allowance)));
    for (const [index, reasons] of found.entries()) deals[index]!.isHeldUpBy(reasons);
    const dealOf = new Map(found.flatMap(({ rows }, index) => rows.map((row) => [row, deals[index]!])));
    const starts = new Starts(allowance);
    yield* tasks.longTexts.each([...dealOf.keys()], (task, row) => {
      if (starts.mayStart(task) && dealOf.get(row)!.give(task)) {
        dealOf.delete(row);
        starts.note(task);
      }
      return deals.some((deal) => !deal.isOver);
    });
    for (const [row, deal] of dealOf) deal.left.push(row);
    yield* together(deals.map((deal, index) => tasks.startEach(this.changes(deal, allowance), found[index]!.now)));
    yield* starts.spend();
    yield* this.queue.hooks.changed(deals.flatMap(({ shares }) => shares.flatMap(({ started }) => started)));
    return deals;
  }

  private changes({ shares }: Deal<T>, allowance: Allowance | undefined): TaskChange<T>[] {
    return shares.flatMap(({ claim, tasks }) =>
      tasks.map((task) => {
        const values = this.start(task, claim);
        const startedAt = allowance?.time(task.service);
        return {
          task,
          values: startedAt ? Object.assign({}, values, { startedAt }) : values,
          ...(allowance?.isMarked(task.service) ? { isMarked: true } : {}),
        };
      }),
    );
  }

  private start(task: T, claim: ClaimOptions): TaskValues {
    const { legacy = false, workerId = null } = claim;
    const rules = this.queue.rulesOf(task.service);
    const lease = legacy ? rules.policy.legacyLease : (claim.lease ?? rules.policy.lease);
    return claimed(task, { token: newToken(legacy), lease, workerId, claimKey: keyOf(claim) ?? null }, rules).values;
  }

  /** Makes the tasks as if they had never been claimed. */
  private async undo(taken: T[]): Promise<void> {
    const { database, tasks, lifeCycle, hooks, rulesOf } = this.queue;
    const back = await transaction(database, function* (): Script<QueueEvent<T>[]> {
      const undone: T[] = [];
      for (const { taskId, leaseToken } of taken) {
        const task = yield* tasks.lock(taskId);
        if (!task || task.leaseToken !== leaseToken || !lifeCycle.isHeld(task.status)) continue;
        undone.push(...(yield* tasks.update([taskId], unclaimed(task, rulesOf(task.service)).values)));
      }
      const events = eventsOf('ready', undone);
      yield* hooks.changed(events);
      return events;
    });
    hooks.committed(back);
  }
}
