import { Body, Controller, Get, Param, Post, Put, Query } from '@nestjs/common';

/** The controller that every peer is put behind: the same routes as ours, for one task and for lists, over its `calls`. */
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
    async createList({ inputs }) {
      return { status: 1, data: { list: (await calls.create(inputs)).map((taskId) => ({ taskId })) } };
    }
    async claimList({ limit }) {
      return { status: 1, data: { list: await calls.claim(Number(limit)) } };
    }
    async finishList({ list }) {
      await calls.finish(list);
      return { status: 1, data: { list: list.map(({ taskId }) => ({ taskId })) } };
    }
  }
  route(PeerController, 'create', Post('tasks'), [Body()]);
  route(PeerController, 'claim', Get('crontask'), [Query()]);
  route(PeerController, 'finish', Put('crontask/:taskId'), [Param('taskId'), Body()]);
  route(PeerController, 'createList', Post('lists'), [Body()]);
  route(PeerController, 'claimList', Get('lists'), [Query()]);
  route(PeerController, 'finishList', Put('lists'), [Body()]);
  Controller('api')(PeerController);
  return PeerController;
}

/** What decorators do, in plain JavaScript. `types` of the parameters, if a pipe needs them. */
export function route({ prototype }, method, verb, parameters, types) {
  parameters.forEach((parameter, index) => parameter(prototype, method, index));
  if (types) Reflect.defineMetadata('design:paramtypes', types, prototype, method);
  verb(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
}

/** How a client speaks to such a controller. */
export const peerRequests = {
  create: (input) => ({ method: 'POST', path: '/api/tasks', body: { input } }),
  claim: () => ({ method: 'GET', path: '/api/crontask' }),
  finish: ({ taskId }) => ({ method: 'PUT', path: `/api/crontask/${taskId}`, body: { output: 'done' } }),
  idOf: (claimed) => claimed.taskId,
  createList: (inputs) => ({ method: 'POST', path: '/api/lists', body: { inputs } }),
  claimList: (worker, limit) => ({ method: 'GET', path: `/api/lists?limit=${limit}` }),
  finishList: (list) => ({
    method: 'PUT',
    path: '/api/lists',
    body: { list: list.map(({ taskId }) => ({ taskId, output: 'done' })) },
  }),
};
