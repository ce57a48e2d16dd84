/** Cause and remedy of every failure, for docs/errors.md. */
export const ERROR_REMEDIES = {
  INVALID_ACCESS: 'The task belongs to another user. Ask for your own tasks.',
  INVALID_TOKEN: 'The request has no user or no worker: the token is missing, wrong or expired. Get a new token.',
  NOT_FOUND:
    'There is no such task, schedule or batch, or it is not yours. Check the id or the key. The task may have been deleted, also after an Idempotency-Key created it.',
  TOO_MANY_TASK:
    'The user has as many unfinished tasks as option `maxActiveTasks` allows: wait until some end, or cancel or delete some. Or as many schedules as option `maxSchedules` allows: delete one.',
  INVALID_PARAM:
    'A parameter breaks a rule, or the body is malformed. `detail` names the field and the rule: correct it.',
  LEASE_LOST:
    'The report does not have the token of the current lease: the lease ran out, another worker has the task, the user cancelled it, or no token was sent. Stop working on the task; `detail` shows it as it is now.',
  INVALID_STATE:
    'The task is not in a status from which this move is allowed. `detail` names its status and the moves that it allows.',
  IDEMPOTENCY_CONFLICT:
    'The Idempotency-Key was sent before, with other content. Send the same content, or take a new key for a new task.',
  TOO_LARGE:
    'The body, a text or the number of fields is over its limit: store large data elsewhere and send its id. Or the answer would have more than 8 MiB: ask for as many tasks as `fits` says.',
  TOO_MANY_REQUESTS:
    "One of these is at its limit: claims that wait in this process (option `maxWaiters`), bodies, writes or large answers under way, or a host's own throttler. Wait as long as Retry-After says. Or the task is to run again while 20 of its callbacks are not delivered: mend their receiver, or create a new task. `detail` says which.",
  UNSUPPORTED_MEDIA_TYPE:
    'The body is a file, compressed, or of a type other than JSON, urlencoded or multipart. Send one of those types.',
  UNAVAILABLE:
    'The database cannot be reached, or somebody keeps the row locked. If the connection broke at the commit, the request may have happened all the same. Send it again after Retry-After, with the same key or token.',
  INTERNAL: 'The server has a defect. Its log describes it. Report it.',
};
