import { Controller, Get } from '@nestjs/common';

class EmptyController {
  get() {
    return { status: 1, data: [] };
  }
}
Get()(EmptyController.prototype, 'get', Object.getOwnPropertyDescriptor(EmptyController.prototype, 'get'));
Controller('api/empty')(EmptyController);

/** A route that does nothing, and answers what an empty claim does. */
export const empty = { name: 'an empty route', module: () => ({ controllers: [EmptyController] }) };
