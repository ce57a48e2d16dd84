/** Codes of the queue's errors, if the host has not chosen others. */
export const ERROR_CODE = {
  INVALID_ACCESS: 14002,
  INVALID_TOKEN: 10001,
  NOT_FOUND: 14001,
  TOO_MANY_TASK: 14003,
  INVALID_PARAM: 14004,
  LEASE_LOST: 14005,
  INVALID_STATE: 14006,
  IDEMPOTENCY_CONFLICT: 14007,
  TOO_LARGE: 14008,
  TOO_MANY_REQUESTS: 14009,
  UNSUPPORTED_MEDIA_TYPE: 14010,
  UNAVAILABLE: 14011,
  INTERNAL: 14012,
} as const;

/** Name of an error -> the host's code. */
export type ErrorCodes = Record<keyof typeof ERROR_CODE, number>;
