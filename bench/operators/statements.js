import { AsyncLocalStorage } from 'node:async_hooks';
import { PooledDatabase } from '../../dist/src/database/pooled.database.js';
import { SqliteDatabase } from '../../dist/src/database/sqlite.database.js';
import { Deferred } from '../../dist/src/database/transaction.js';

/** Holds the name of the request that is under way. */
const request = new AsyncLocalStorage();

/** Runs a request under its name. */
export const named = (name, work) => request.run(name, work);

/** Notes each statement that the queue sends, with the request that it is for: text -> { for, count, statement }. */
export function noteStatements() {
  const sent = new Map();
  const note = (statement, name) => {
    const key = `${name} ${statement.text}`;
    const known = sent.get(key) ?? { for: name, count: 0, statement };
    sent.set(key, { ...known, count: known.count + 1 });
  };
  function* noted(script, name) {
    let results = [];
    for (;;) {
      const step = script.next(results);
      if (step.done) return step.value;
      for (const statement of step.value instanceof Deferred ? [step.value.statement] : step.value)
        note(statement, name);
      results = yield step.value;
    }
  }
  for (const { prototype } of [PooledDatabase, SqliteDatabase])
    for (const method of ['attempt', 'read']) {
      const original = prototype[method];
      prototype[method] = function (script) {
        const name = request.getStore();
        return original.call(this, () => noted(script(), name));
      };
    }
  return sent;
}
