import { Body, Controller, Get, Param, Post, Put, Query } from '@nestjs/common';

/** The controller that every peer is put behind: the same three routes as ours, over its `calls`. */
export function controllerOver(calls) {
  class PeerController {
    async create({ input }) {
      const [taskId] = await calls.create([input]);
      return { status: 1, data: { taskId } };
    }
    async claim() {
      const [claimed] = await calls.claim(1);
      return { status: 1, data: claimed ?? [] };
    }
    async finish(taskId, { output }) {
      await calls.finish([{ taskId, output }]);
      return { status: 1, data: { taskId } };
    }
  }
  route(PeerController, 'create', Post('tasks'), Body());
  route(PeerController, 'claim', Get('crontask'), Query());
  route(PeerController, 'finish', Put('crontask/:taskId'), Param('taskId'), Body());
  Controller('api')(PeerController);
  return PeerController;
}

/** What decorators do, in plain JavaScript. */
function route(target, method, verb, ...parameters) {
  const { prototype } = target;
  parameters.forEach((parameter, index) => parameter(prototype, method, index));
  verb(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
}

/** How a client speaks to such a controller. */
export const peerRequests = {
  create: (input) => ({ method: 'POST', path: '/api/tasks', body: { input } }),
  claim: () => ({ method: 'GET', path: '/api/crontask' }),
  finish: ({ taskId }) => ({ method: 'PUT', path: `/api/crontask/${taskId}`, body: { output: 'done' } }),
  idOf: (claimed) => claimed.taskId,
};
