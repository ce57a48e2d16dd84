import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.js';

/** What stands between a client and a server, and does to their connections what the middle of a network does. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private swallowing = false;
  private server: Server | undefined;

  private constructor(
    private readonly target: URL,
    private readonly port: number,
  ) {}

  /** In front of the server that a URL names. */
  static async start(url: string): Promise<TcpProxy> {
    const target = new URL(url);
    target.port ||= target.protocol.startsWith('postgres') ? '5432' : '3306';
    const proxy = new TcpProxy(target, await freePort());
    await proxy.listen();
    return proxy;
  }

  /** The server's address by way of this proxy. */
  get url(): string {
    return Object.assign(new URL(this.target), { hostname: '127.0.0.1', port: String(this.port) }).href;
  }

  /** From now on nothing passes, and neither side is told. New connections are taken, and hear nothing. */
  swallow(): void {
    this.swallowing = true;
    for (const socket of this.sockets) silence(socket);
  }

  /** Every connection ends, and new ones are refused. */
  cut(): void {
    this.server?.close();
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
  }

  /** New connections are well. Those that were swallowed hear nothing for good. */
  async mend(): Promise<void> {
    this.swallowing = false;
    if (!this.server) await this.listen();
  }

  private async listen(): Promise<void> {
    this.server = createServer((near) => this.join(near)).listen(this.port, '127.0.0.1');
    await new Promise((listening) => this.server!.once('listening', listening));
  }

  private join(near: Socket): void {
    this.keep(near);
    if (this.swallowing) return silence(near);
    const far = connect(Number(this.target.port), this.target.hostname);
    this.keep(far);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
  }
}

function silence(socket: Socket): void {
  socket.unpipe();
  socket.removeAllListeners('data');
  socket.removeAllListeners('end');
  socket.on('data', () => undefined).resume();
}
