import { createServer } from 'node:http';

/** A receiver as quick as can be, in a process of its own: says its port, and when the first POST came. */
let received = 0;
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(204).end();
    if (++received === 1) process.send('first');
  });
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
