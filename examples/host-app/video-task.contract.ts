import { TASK_ERRORS, TASK_STATUS, type TaskErrorBody, TaskResponse } from '@softdd/task';

/** Our integers for the roles that we store otherwise, and a status of our own for workers to report. */
export const VIDEO_STATUS = { ...TASK_STATUS, BEGIN: 11, START: 21, FINISHED: 31, UPLOADING: 25 };

/** One of the queue's failures answered our way, and one that only we throw. */
export const VIDEO_ERRORS = {
  ...TASK_ERRORS,
  INVALID_TOKEN: { code: 401, msg: 'please sign in', httpCode: 401, headers: { 'WWW-Authenticate': 'Bearer' } },
  TITLE_TAKEN: { code: 20001, msg: 'you have a video of this title', httpCode: 409 },
};

/** Our envelope. The OpenAPI document follows by itself. */
export class VideoResponse extends TaskResponse {
  override success(data: unknown): unknown {
    return { ok: true, result: data };
  }

  override failure(error: TaskErrorBody): unknown {
    return { ok: false, error };
  }
}
