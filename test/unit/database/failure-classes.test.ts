import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger, type LoggerService } from '@nestjs/common';
import { DataSource, QueryFailedError } from 'typeorm';
import { Silence } from '../../../src/database/connection.js';
import { meaningOf } from '../../../src/database/failure-classes.js';
import { describeOn, type Engine } from '../../support/databases.js';
import { type Answer } from '../../support/http.js';
import { type Host, startHost } from '../../support/host.js';

/** What the database says of itself -> how a request is answered. MySQL's are SQLSTATE and number. */
const SAID: Record<'mysql' | 'postgres', Record<number, string[]>> = {
  postgres: {
    503: '57014 25P03 25P04 25006 53000 53100 53200 53300 53400 57P01 57P03 58000 58030 08006 40003 42P01'.split(' '),
    413: ['54000'],
    400: ['22001', '22021', '23505', '23514'],
    500: ['42703', '23502', 'XX000', 'P0001'],
  },
  mysql: {
    503: [
      // Statement timeouts, KILL QUERY, limits of the account.
      ...['70100 1969', '70100 1317', 'HY000 3024', '42000 1226', '42000 1203', 'HY000 1040'],
      // Disk, memory, files, read only after a fail-over.
      ...['HY000 1021', 'HY000 1114', 'HY000 1030', 'HY000 1041', 'HY000 1290', 'HY000 1836', '25006 1792'],
      // Replication: Galera without quorum, and while a node joins; Group Replication.
      ...['08S01 1047', 'HY000 1180', 'HY000 3100', 'HY000 3168', '42000 1049', 'HY000 9999'],
      // The database was dropped, or is being restored.
      '42S02 1146',
    ],
    413: ['08S01 1153', 'HY000 1197'],
    400: ['22001 1406', 'HY000 1366', 'HY000 3819', '23000 1062'],
    500: ['HY000 1449', 'HY000 1364', '42S22 1054', '42000 1142'],
  },
};

/** A trigger that fails as the input asks for: the drivers make their errors of what a real server sends. */
function trigger(engine: 'mysql' | 'postgres'): string[] {
  if (engine === 'postgres')
    return [
      `CREATE FUNCTION fail() RETURNS trigger AS $$ BEGIN
        IF NEW.input LIKE 'fail %' THEN RAISE EXCEPTION 'as asked' USING ERRCODE = substr(NEW.input, 6); END IF;
        RETURN NEW; END $$ LANGUAGE plpgsql`,
      'CREATE TRIGGER fail BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION fail()',
    ];
  const states = new Set(Object.values(SAID.mysql).flatMap((cases) => cases.map((each) => each.split(' ')[0]!)));
  const branches = [...states].map(
    (state) => `IF NEW.input LIKE 'fail ${state} %' THEN SIGNAL SQLSTATE '${state}'
      SET MYSQL_ERRNO = number, MESSAGE_TEXT = 'as asked'; END IF;`,
  );
  return [
    `CREATE TRIGGER fail BEFORE INSERT ON tasks FOR EACH ROW BEGIN
      DECLARE number INT DEFAULT IF(NEW.input LIKE 'fail %', SUBSTRING_INDEX(NEW.input, ' ', -1), 0); ${branches.join('\n')} END`,
  ];
}

describeOn('mysql', 'postgres')('what the database says of itself, on %s', (name: Engine) => {
  const engine = name as 'mysql' | 'postgres';
  let host: Host;
  const logged: string[] = [];
  beforeAll(async () => {
    const note = (message: unknown) => void logged.push(String(message));
    const logger: LoggerService = { log: () => undefined, warn: note, error: note };
    host = await startHost({ engine, adapter: engine === 'mysql' ? 'express' : 'fastify', nest: { logger } });
    const dataSource = host.app.get(DataSource);
    for (const statement of trigger(engine)) await dataSource.query(statement);
  });
  afterAll(() => host?.close());
  const create = (input: string): Promise<Answer> => host.user('alice', 'POST', '/api/tasks', { json: { input } });

  it.each(Object.keys(SAID[engine]).map(Number))(
    'is answered with %d by its class',
    async (status) => {
      for (const said of SAID[engine][status]!) {
        logged.length = 0;
        const { status: answered, headers, text } = await create(`fail ${said}`);
        expect([said, answered]).toEqual([said, status]);
        expect(headers.get('retry-after') !== null).toBe(status === 503);
        expect(text).not.toContain('as asked');
        // Once, with what the database said.
        expect(logged.filter((line) => line.includes('as asked'))).toHaveLength(1);
      }
    },
    60_000,
  );

  it('is told to its own request alone, unless it is of everybody', async () => {
    const inputs = ['good', engine === 'mysql' ? 'fail HY000 1366' : 'fail 22001', 'good', 'good'];
    const answers = await Promise.all(inputs.map(create));
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 200, 200]);
  });
});

describe('what drivers and Node.js throw', () => {
  const of = (properties: object, message = 'no'): Error => Object.assign(new Error(message), properties);
  const system = (code: string, syscall: string) => of({ code, syscall, errno: -1 }, `${syscall} ${code}`);

  it.each([
    ...['ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'ETIMEDOUT', 'ENOENT', 'EACCES'].map((code) =>
      system(code, 'connect'),
    ),
    system('EMFILE', 'open'),
    system('EPIPE', 'write'),
    system('ECONNRESET', 'read'),
    system('ENOTFOUND', 'getaddrinfo'),
    system('EAI_AGAIN', 'getaddrinfo'),
    system('EPROTO', 'write'),
    new AggregateError([system('ECONNREFUSED', 'connect')], ''),
    of({ code: 'PROTOCOL_CONNECTION_LOST', fatal: true }, 'Connection lost: The server closed the connection.'),
    of({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' }),
    of({ code: 'HANDSHAKE_NO_SSL_SUPPORT', fatal: true }, 'Server does not support secure connection'),
    of({ code: 'ER_CON_COUNT_ERROR', errno: 1040, sqlState: '' }, 'Too many connections'),
    of({ code: 'ER_ACCESS_DENIED_ERROR', errno: 1045, sqlState: '28000' }),
    of({ code: 'CERT_HAS_EXPIRED' }),
    of({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
    of({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
    of({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }),
    of({ code: '08P01', severity: 'FATAL' }, 'query_wait_timeout'),
    of({ code: '28P01', severity: 'FATAL', routine: 'auth_failed' }),
    of({ code: '3D000', severity: 'FATAL' }, 'database "app" does not exist'),
    of({}, 'Query read timeout'),
    new Silence('the database has not answered within 8000 ms'),
    of({}, 'Connection terminated unexpectedly'),
    of({}, 'timeout exceeded when trying to connect'),
    of({}, 'The server does not support SSL connections'),
    of({}, 'Queue limit reached.'),
    of({}, 'No connections available.'),
    of({}, 'Pool is closed.'),
    of({}, 'Connection is not established with mysql database'),
    of({ code: 'SQLITE_FULL' }, 'database or disk is full'),
    of({ code: 'SQLITE_IOERR_WRITE' }),
    of({ code: 'SQLITE_CANTOPEN' }),
    of({ code: 'SQLITE_READONLY_DBMOVED' }),
    of({ code: 'SQLITE_NOMEM' }),
  ])('%s means: not now', (error) => expect(meaningOf(error)).toBe('unavailable'));

  it.each([
    [of({ code: 'SQLITE_BUSY_SNAPSHOT' }), 'conflict'],
    [of({ code: 'ER_TRANSACTION_ROLLBACK_DURING_COMMIT', errno: 3101, sqlState: '40000' }), 'conflict'],
    [of({ code: '55P03', severity: 'ERROR' }), 'conflict'],
    [of({ code: 'SQLITE_TOOBIG' }), 'too large'],
    [of({ code: 'SQLITE_CONSTRAINT_CHECK' }), 'refused'],
    [of({ code: 'SQLITE_CONSTRAINT_NOTNULL' }), 'ours'],
    [of({ code: 'SQLITE_ERROR' }), 'ours'],
    [of({ code: 'SQLITE_CORRUPT' }), 'ours'],
    [of({ code: 'ERR_INVALID_ARG_TYPE' }), 'ours'],
    [new TypeError('x is not a function'), 'ours'],
    [
      new QueryFailedError('SELECT 1', [], of({ code: 'ER_LOCK_DEADLOCK', errno: 1213, sqlState: '40001' })),
      'conflict',
    ],
    [undefined, 'ours'],
  ] as const)('%s means: %s', (error, meaning) => expect(meaningOf(error)).toBe(meaning));
});

describeOn('mysql', 'postgres')('a pool whose limits the host has set low, on %s', (engine) => {
  it('answers 503 with Retry-After, or waits', async () => {
    const extra = engine === 'mysql' ? { connectionLimit: 2, queueLimit: 1 } : { max: 2, query_timeout: 1500 };
    const host = await startHost({ engine, adapter: 'fastify', typeorm: { extra } });
    try {
      const dataSource = host.app.get(DataSource);
      // Somebody locks the rows that everybody wants.
      const { body } = await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in' } });
      const { taskId } = body.data;
      expect(taskId).toBeDefined();
      const runner = dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.query(`SELECT id FROM tasks WHERE id = '${taskId}' FOR UPDATE`);
      const puts = Array.from({ length: 8 }, () =>
        host.user('alice', 'PUT', `/api/tasks/${taskId}`, { json: { status: 10 } }),
      );
      const lists = Array.from({ length: 8 }, () => host.user('alice', 'GET', '/api/tasks'));
      const early = await Promise.all(lists);
      // Until one of them has waited for too long, where there is such a limit.
      await (engine === 'mysql' ? new Promise((resolve) => setTimeout(resolve, 100)) : Promise.race(puts));
      await runner.rollbackTransaction();
      await runner.release();
      const answers = [...early, ...(await Promise.all(puts))];
      const others = answers.filter(({ status }) => status !== 200);
      // The queue's own connections have a time limit, and mysql2's limit on those who wait is not theirs.
      if (engine === 'mysql') expect(others.map(({ text }) => text)).toEqual([]);
      else expect(others.length).toBeGreaterThan(0);
      for (const { status, headers } of others)
        expect([status, headers.get('retry-after')]).toEqual([503, expect.anything()]);
    } finally {
      await host.close();
      Logger.overrideLogger(false);
    }
  });
});
