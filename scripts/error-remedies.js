/** Cause and remedy of every failure, for docs/errors.md. */
export const ERROR_REMEDIES = {
  INVALID_ACCESS: "The task is another user's. Ask for your own.",
  INVALID_TOKEN: 'No user or no worker: the token is missing, wrong or expired. Get a new one.',
  NOT_FOUND: 'No such task, or not yours to change. Check the id; it may have been deleted.',
  TOO_MANY_TASK: 'Reserved for quotas; not raised yet.',
  INVALID_PARAM: 'A parameter breaks a rule, or the body is malformed. `detail` names field and rule: mend them.',
  LEASE_LOST: 'Reserved for leases; not raised yet.',
  INVALID_STATE: 'The task is where this move does not start. `detail` names its status and the moves it allows.',
  IDEMPOTENCY_CONFLICT: 'Reserved for idempotency keys; not raised yet.',
  TOO_LARGE: 'The body, a text or the number of fields is over its limit. Store large data elsewhere and send its id.',
  TOO_MANY_REQUESTS: "Thrown by a host's own throttler. Wait as long as Retry-After says.",
  UNSUPPORTED_MEDIA_TYPE:
    'The body is a file, compressed, or of another type than JSON, urlencoded or multipart. Send one of those.',
  UNAVAILABLE:
    'The database cannot be reached, or somebody keeps the row locked. It may have happened all the same, if the connection broke at the commit: look, then try again after Retry-After.',
  INTERNAL: 'A fault of the server, described in its log. Report it.',
};
