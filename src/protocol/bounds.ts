/** The length of a lease in seconds: 1 second to 1 day. */
export const LEASE_SECONDS = { min: 1, max: 86_400 } as const;
export const MAX_ATTEMPTS = { min: 1, max: 1000 } as const;

/** The most, or the least and the most, of what a request may send. */
export const BOUNDS = {
  /** Bytes of UTF-8 in `input`, `args`, `temp` and `output`: the size of a TEXT column of MySQL. */
  textBytes: 65_535,
  /** Characters (code points) in `service` and `group`. */
  nameLength: 64,
  /** Characters (code points) in an owner. */
  userIdLength: 255,
  /** Tasks on one page of a list. Legacy clients ask for thousands. */
  pageSize: 10_000,
  /** Callbacks in one list of `TaskService.callbacks`. */
  callbacks: 1000,
  /** Characters (code points) in the key of a schedule. Fastify serves no longer parts of a path than 100. */
  scheduleKeyLength: 64,
  /** Characters in a cursor of schedules, which holds an owner and a key. */
  scheduleCursorLength: 3000,
  /** Characters (code points) in a unique key. */
  uniqueKeyLength: 255,
  /** Characters (code points) in the name of a task within its batch. */
  refLength: 128,
  /** Dependencies in one request that creates tasks of a batch. */
  dependencies: 50_000,
  /** Bytes of one answer as JSON, because it is built in memory. */
  answerBytes: 8 * 1024 * 1024,
  /** Ids in one `ids` parameter. */
  ids: 1000,
  /** Characters in the id of an event. */
  eventIdLength: 40,
  /** Characters in a cursor. */
  cursorLength: 200,
  /** Largest page number. It keeps OFFSET far inside 64 bits. */
  page: 2 ** 31 - 1,
  /** Tasks in one create. */
  creates: 1000,
  /** Tasks in one claim. */
  claims: 100,
  /** Reports in one request. */
  reports: 100,
  /** Seconds that a claim may wait for a task. */
  wait: 30,
  /** Seconds by which a retry or a give-back may be delayed: one year. */
  delay: 31_536_000,
  /** Characters (code points) in a worker's id. */
  workerIdLength: 64,
  /** Characters (code points) of an error's beginning that a search compares. */
  errorBeginLength: 200,
  /** Characters in an idempotency key. */
  keyLength: 255,
  /** Priorities, from first to last: the range of a smallint. */
  priority: { min: -32_768, max: 32_767 },
  /** Tasks of a limited service that may run at once. */
  maxRunning: 100_000,
  /** Seconds for which a worker may pause a service. */
  pause: 86_400,
  /** Starts in a rate's period, seconds of the period, and starts at once. */
  rateMax: 1_000_000,
  ratePer: 86_400,
  rateBurst: 1_000_000,
  /** The range of an int. */
  status: { min: -(2 ** 31), max: 2 ** 31 - 1 },
  lease: LEASE_SECONDS,
  maxAttempts: MAX_ATTEMPTS,
} as const;
