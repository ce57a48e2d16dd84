/** A foreign key that blocks the migration, as one line that says what to do. */
export function foreignKeyError(
  key: { name: string; owner: string; column: string; target: string; targetColumn: string },
  mark: string,
): Error {
  const [owner, name] = [key.owner, key.name].map((text) => mark + text + mark);
  const drop = `ALTER TABLE ${owner} DROP ${mark === '`' ? 'FOREIGN KEY' : 'CONSTRAINT'} ${name};`;
  return new Error(
    `The foreign key ${name} (${key.owner}.${key.column} -> ${key.target}.${key.targetColumn}) blocks the migration: the ` +
      `queue changes the type of its column to compare ids byte for byte. Run ${drop} and start again; ` +
      'docs/migrating-from-laravel.md says how to restore it.',
  );
}
