import { createHash } from 'node:crypto';
import { statements } from './statements.js';

/** One file of a migrations directory. */
export interface Migration {
  /** `NNNN-name.sql` */
  readonly name: string;
  /** SHA-256 (hex) of the text with LF line ends, so that a checkout on Windows counts as the same */
  readonly checksum: string;
  /** its first line is `-- expand`: it only adds, so that programs of the version before run on */
  readonly expands: boolean;
  readonly statements: readonly string[];
}

/** What a schema remembers of a migration that was applied. */
export interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
  readonly expands: boolean;
}

/** A schema cannot be brought to where the files say. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

const FILE_NAME = /^\d{4}-[a-z0-9][a-z0-9-]*\.sql$/;

const EXPANDS = /^-- expand\b/;

/** Each file runs in one transaction together with the record of it, so it must not end that one. */
const TRANSACTION =
  /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:begin|start|commit|end|rollback|abort|prepare\s+transaction)\b/is;

/** @throws MigrationError when a statement begins or ends a transaction */
export function migrationOf(name: string, text: string): Migration {
  const unix = text.replaceAll('\r\n', '\n');
  const found = statements(unix);
  const at = found.findIndex((statement) => TRANSACTION.test(statement));
  if (at >= 0) throw new MigrationError(`${name}, statement ${at + 1}: a migration may not begin or end a transaction`);
  const checksum = createHash('sha256').update(unix).digest('hex');
  return { name, checksum, expands: EXPANDS.test(unix), statements: found };
}

/**
 * The names of migrations in the order they are applied.
 * @throws MigrationError when a name is not `NNNN-name.sql` or two have the same number
 */
export function inOrder(names: readonly string[]): string[] {
  const sorted = [...names].sort();
  for (const [i, name] of sorted.entries()) {
    if (!FILE_NAME.test(name)) throw new MigrationError(`${name}: a migration is called NNNN-name.sql (a-z, 0-9, -)`);
    const before = sorted[i - 1];
    if (before?.slice(0, 4) === name.slice(0, 4))
      throw new MigrationError(`${before} and ${name} have the same number`);
  }
  return sorted;
}

/**
 * The migrations that are still to be applied. What a newer version applied already does not keep this one from running
 * beside it, as long as all of that only expands.
 * @param migrations what the files say, in order
 * @param applied    what the schema remembers, in any order
 * @throws MigrationError when an applied file was changed or is gone, or a new one comes before an applied one
 */
export function outstanding(migrations: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  const checksums = new Map(applied.map(({ name, checksum }) => [name, checksum]));
  const known = new Set(migrations.map(({ name }) => name));
  const newest = migrations.at(-1)?.name ?? '';
  const gone = applied.find(({ name, expands }) => !known.has(name) && !(expands && name > newest));
  if (gone) {
    throw new MigrationError(`${gone.name} was applied, but there is no such file: the data is of a newer version`);
  }
  const last =
    applied
      .map(({ name }) => name)
      .sort()
      .at(-1) ?? '';
  return migrations.filter(({ name, checksum }) => {
    const recorded = checksums.get(name);
    if (recorded === undefined && name < last) {
      throw new MigrationError(
        `${name} is new, but comes before ${last}, which was applied already: give it a higher number`,
      );
    }
    if (recorded !== undefined && recorded !== checksum) {
      throw new MigrationError(`${name} was changed after it was applied: undo the change and write a new migration`);
    }
    return recorded === undefined;
  });
}
