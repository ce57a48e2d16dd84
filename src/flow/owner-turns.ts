import type { Turn } from '../database/dialects/dialect.js';
import type { Belonging, Turns } from '../queue/gates.js';
import type { TurnKey } from '../queue/turn-order.js';
import type { GivenSettings } from './settings.js';

/** How many marked tasks run, by owner or by group. */
export type Counts = Map<TurnKey, number>;

/** How the owners or groups of one service take turns in one transaction. */
export class OwnerTurns implements Turns {
  constructor(
    readonly by: Turn,
    private readonly settings: GivenSettings,
    /** Empty unless owners take turns or have a limit. */
    private readonly owners: Counts,
    /** Empty unless groups take turns. */
    private readonly groups: Counts,
  ) {}

  get isCapped(): boolean {
    return this.settings.maxRunningPerOwner !== null;
  }

  get full(): string[] {
    if (!this.isCapped) return [];
    return [...this.owners.keys()].filter((owner): owner is string => this.roomOf(owner!) <= 0);
  }

  readonly load = (key: TurnKey, more: number): number => {
    const running = (this.by === 'owner' ? this.owners : this.groups).get(key) ?? 0;
    return (running + more) / this.weightOf(key);
  };

  readonly room = (key: TurnKey): number => (this.by === 'group' ? Infinity : this.roomOf(key!));

  readonly roomOf = (userId: string): number => {
    const { maxRunningPerOwner } = this.settings;
    const limit = typeof maxRunningPerOwner === 'function' ? maxRunningPerOwner(userId) : maxRunningPerOwner;
    return limit === null || limit === undefined ? Infinity : limit - (this.owners.get(userId) ?? 0);
  };

  started({ userId, group }: Belonging): void {
    this.owners.set(userId, (this.owners.get(userId) ?? 0) + 1);
    this.groups.set(group, (this.groups.get(group) ?? 0) + 1);
  }

  private weightOf(key: TurnKey): number {
    const weight = this.settings.weight?.(key ?? '') ?? 1;
    return weight > 0 ? weight : 1;
  }
}
