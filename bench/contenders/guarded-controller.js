import { randomUUID } from 'node:crypto';
import {
  Body,
  ConflictException,
  Controller,
  Get,
  Param,
  Post,
  Put,
  Query,
  UnauthorizedException,
  UseGuards,
  ValidationPipe,
} from '@nestjs/common';
import { IsInt, IsOptional, IsString, IsUUID, Length, Max, MaxLength, Min } from 'class-validator';
import { route } from './controller.js';

/** Decorates the properties of a class in plain JavaScript. */
const dto = (Dto, properties) => {
  for (const [name, decorators] of Object.entries(properties))
    for (const decorate of decorators) decorate(Dto.prototype, name);
  return Dto;
};

const TEXT = [IsOptional(), IsString(), MaxLength(1_000_000)];
const CreateDto = dto(class CreateDto {}, {
  input: TEXT,
  service: [IsOptional(), IsString(), Length(1, 64)],
  priority: [IsOptional(), IsInt(), Min(0), Max(32_767)],
  status: [IsOptional(), IsInt()],
});
const ClaimDto = dto(class ClaimDto {}, {
  service: [IsString(), Length(1, 64)],
  workerId: [IsString(), Length(1, 128)],
});
const FinishDto = dto(class FinishDto {}, { leaseToken: [IsUUID()], status: [IsInt()], output: TEXT });

/** Says who asks, as a host's guard does. */
const guard = {
  canActivate(context) {
    const request = context.switchToHttp().getRequest();
    if (request.headers.authorization !== 'Bearer bench') throw new UnauthorizedException();
    request.user = { id: 'bench' };
    return true;
  },
};

/**
 * A queue of jobs behind what ours always does: input is checked by DTOs, a guard says who asks, each claim has a token of
 * its own without which nobody finishes the job, and answers hold the fields that ours hold.
 */
export function guardedControllerOver(calls) {
  class GuardedController {
    async create({ input }) {
      return success(taskOf(await calls.create(input)));
    }

    async claim() {
      const leaseToken = randomUUID();
      const job = await calls.claim(leaseToken);
      if (!job) return success([]);
      return success({ ...claimedOf(job), leaseToken, attempt: job.attemptsStarted });
    }

    async finish(taskId, { leaseToken, output }) {
      const job = await calls.finish(taskId, leaseToken, output).catch((error) => {
        throw new ConflictException(error.message);
      });
      return success(claimedOf(job));
    }
  }
  const pipe = new ValidationPipe({ transform: true, whitelist: true });
  route(GuardedController, 'create', Post('tasks'), [Body(pipe)], [CreateDto]);
  route(GuardedController, 'claim', Get('crontask'), [Query(pipe)], [ClaimDto]);
  route(GuardedController, 'finish', Put('crontask/:taskId'), [Param('taskId'), Body(pipe)], [String, FinishDto]);
  UseGuards(guard)(GuardedController);
  Controller('api')(GuardedController);
  return GuardedController;
}

const success = (data) => ({ status: 1, data });
const iso = (milliseconds) => (milliseconds ? new Date(milliseconds).toISOString() : null);

const taskOf = (job) => ({
  taskId: job.id,
  service: 'default',
  status: job.finishedOn ? 30 : job.processedOn ? 20 : 10,
  progress: job.finishedOn ? 100 : 0,
  input: job.data.input,
  args: '',
  temp: '',
  output: job.returnvalue ?? '',
  group: null,
  priority: job.priority ?? 0,
  attempt: job.attemptsStarted,
  maxAttempts: job.opts.attempts ?? null,
  error: job.failedReason ?? null,
  runAt: null,
  createdAt: iso(job.timestamp),
  updatedAt: iso(job.finishedOn ?? job.processedOn ?? job.timestamp),
  startedAt: iso(job.processedOn),
  finishedAt: iso(job.finishedOn),
  leaseExpiresAt: null,
});

const claimedOf = (job) => ({
  task: { ...taskOf(job), callbackUrl: '' },
  updateUrl: '',
  leaseExpiresAt: iso(job.processedOn && job.processedOn + 30_000),
});

/** How a client speaks to such a controller. */
export const guardedRequests = {
  headers: { authorization: 'Bearer bench' },
  create: (input) => ({ method: 'POST', path: '/api/tasks', body: { input, status: 10 } }),
  claim: (worker) => ({ method: 'GET', path: `/api/crontask?service=default&workerId=${worker}` }),
  finish: ({ task, leaseToken }) => ({
    method: 'PUT',
    path: `/api/crontask/${task.taskId}`,
    body: { leaseToken, status: 30, output: 'done' },
  }),
  idOf: (claimed) => claimed.task.taskId,
};
