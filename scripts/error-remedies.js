/** Cause and remedy of every failure, for docs/errors.md. */
export const ERROR_REMEDIES = {
  INVALID_ACCESS: "The task is another user's. Ask for your own.",
  INVALID_TOKEN: 'No user or no worker: the token is missing, wrong or expired. Get a new one.',
  NOT_FOUND:
    'No such task, or not yours to change. Check the id; it may have been deleted, also since an Idempotency-Key made it.',
  TOO_MANY_TASK:
    'The user has as many tasks that have not ended as option `maxActiveTasks` allows. Wait until some end, cancel or delete some.',
  INVALID_PARAM: 'A parameter breaks a rule, or the body is malformed. `detail` names field and rule: mend them.',
  LEASE_LOST:
    'The report has not the token of the task’s lease: it ran out, another worker has the task, the user cancelled it, or no token was sent. Drop the task; `detail` shows it as it is now.',
  INVALID_STATE: 'The task is where this move does not start. `detail` names its status and the moves it allows.',
  IDEMPOTENCY_CONFLICT:
    'The Idempotency-Key came with other content before. Send what was sent then, or take a new key for a new task.',
  TOO_LARGE: 'The body, a text or the number of fields is over its limit. Store large data elsewhere and send its id.',
  TOO_MANY_REQUESTS:
    "As many claims wait in this process as option `maxWaiters` allows, or a host's own throttler says so. Wait as long as Retry-After says.",
  UNSUPPORTED_MEDIA_TYPE:
    'The body is a file, compressed, or of another type than JSON, urlencoded or multipart. Send one of those.',
  UNAVAILABLE:
    'The database cannot be reached, or somebody keeps the row locked. It may have happened all the same, if the connection broke at the commit: send it again after Retry-After, under the same key or token.',
  INTERNAL: 'A fault of the server, described in its log. Report it.',
};
