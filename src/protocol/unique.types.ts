/** What makes a task the only one of its owner and service with a key. */
export interface Unique {
  /** At most one task holds it. 1 to 255 characters, compared byte for byte. */
  key: string;
  /**
   * When the key is free again: when a worker takes the task for the first time, or when the task has ended.
   *
   * @defaultValue 'ended'
   */
  until?: 'claimed' | 'ended';
  /**
   * If another task holds the key: that task is returned as it is, or, while no worker has had it, with the content of
   * this request.
   *
   * @defaultValue 'return'
   */
  onConflict?: 'return' | 'replace';
}
