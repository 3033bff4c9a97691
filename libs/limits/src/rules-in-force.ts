import { createHash } from 'node:crypto';
import { openNowhereWithEffects } from './read-rules.js';
import type { RuleTable } from './rule-table.js';
import { HOUSE_TABLE } from './rules.js';
import { TOOL_EFFECTS, type ToolEffects } from './tool-effects.js';

/** How a table stands to the one in force: newer, the very same, of a version before, or of its version with other rules. */
export type Succession = 'newer' | 'same' | 'older' | 'differs';

/** The table that a process decides by, which gets newer while it runs. */
export class RulesInForce {
  readonly #effects: ToolEffects;
  #said: RuleTable;
  #digest: string;
  #decidesBy: RuleTable;

  /** @param effects of the tools; those of the house unless given */
  constructor(first: RuleTable = HOUSE_TABLE, effects: ToolEffects = TOOL_EFFECTS) {
    this.#effects = effects;
    this.#said = first;
    this.#digest = rulesDigest(first);
    this.#decidesBy = openNowhereWithEffects(first, effects);
  }

  /**
   * What decisions go by; asked at every one of them. The table as it was said, but for rules that would fail open for a
   * tool that has effects in this version: they fail closed.
   */
  readonly table = (): RuleTable => this.#decidesBy;

  get version(): number {
    return this.#said.version;
  }
  /** of {@link said}: see {@link rulesDigest} */
  get digest(): string {
    return this.#digest;
  }
  /** the table as it was said */
  get said(): RuleTable {
    return this.#said;
  }

  successionOf(table: RuleTable, digest = rulesDigest(table)): Succession {
    if (table.version !== this.version) return table.version > this.version ? 'newer' : 'older';
    return digest === this.#digest ? 'same' : 'differs';
  }

  /** Puts a table in force if it is newer. @returns how it stood until now */
  take(table: RuleTable): Succession {
    const digest = rulesDigest(table);
    const succession = this.successionOf(table, digest);
    if (succession !== 'newer') return succession;
    this.#said = table;
    this.#digest = digest;
    this.#decidesBy = openNowhereWithEffects(table, this.#effects);
    return succession;
  }
}

/** SHA-256 (hex) of what a table says, in whatever order its members are written. */
export const rulesDigest = (table: RuleTable): string =>
  createHash('sha256')
    .update(JSON.stringify(table, (_key, value: unknown) => sorted(value)))
    .digest('hex');

const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
