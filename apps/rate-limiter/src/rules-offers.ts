import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { Log } from '@portcullis/contract/log';
import type { HeardRules } from '@portcullis/guard/rules-feed';
import { readRules } from '@portcullis/limits/read-rules';
import type { RuleTable } from '@portcullis/limits/rule-table';
import { rulesDigest, type RulesInForce } from '@portcullis/limits/rules-in-force';
import type { ToolEffects } from '@portcullis/limits/tool-effects';

/** What a file of rules holds now, or why nobody can say. */
export type FileContent = { readonly text: string } | { readonly problem: string };

export interface OfferPorts {
  readonly rules: RulesInForce;
  readonly effects: ToolEffects;
  /** says a table to all that decide, in the name of this process. @throws when it may not have been heard */
  tell(table: RuleTable): Promise<void>;
  /** names this process in what it tells */
  readonly instance: string;
  /** keeps an audit event. @throws when it cannot be kept */
  record(draft: EventDraft): Promise<unknown>;
  /** ms since epoch */
  now(): number;
  readonly log: Log;
}

/**
 * Takes a table from a file to all that decide by it. It is checked whole, told to everybody, and in force when it is heard
 * from the bus, here as everywhere: of two that are told at once, the first one heard is the one. Whatever is wrong changes
 * nothing.
 */
export class RulesOffers {
  readonly #ports: OfferPorts;
  #problems: readonly string[] = [];
  /** newer than what is in force, and not heard of yet */
  #waiting: { readonly table: RuleTable; isTold: boolean } | undefined;
  readonly #unrecorded: EventDraft[] = [];
  #isRecording = false;
  #isFailing = false;

  constructor(ports: OfferPorts) {
    this.#ports = ports;
  }

  /** What is wrong with the file as it was last seen; none = it is in force, or will be when it was heard. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Is a table still to be told, or heard of? */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Resolves when the table was told, or could not be, or may not be. */
  async offer(content: FileContent): Promise<void> {
    this.#waiting = undefined;
    const { rules, effects } = this.#ports;
    const read = 'text' in content ? readRules(content.text, effects) : { problems: [content.problem] };
    if ('problems' in read) return this.#refuse(read.problems);
    const { table } = read;
    const succession = rules.successionOf(table);
    if (succession === 'older') return this.#refuse([isOlder(table.version, rules.version)]);
    if (succession === 'differs') return this.#refuse([differs(table.version)]);
    this.#problems = [];
    if (succession === 'same') return;
    this.#waiting = { table, isTold: false };
    await this.again();
  }

  /** Tries again what failed; asked now and then. */
  async again(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting !== undefined && !waiting.isTold) await this.#tell(waiting);
    await this.#record();
  }

  /** A table was said by one of those who may, this process or another. */
  heard({ by, version, digest }: HeardRules): void {
    const waiting = this.#waiting;
    const { rules, instance, now } = this.#ports;
    if (waiting === undefined || version < waiting.table.version) return;
    this.#waiting = undefined;
    if (version > waiting.table.version) return this.#refuse([isOlder(waiting.table.version, version)]);
    if (rulesDigest(waiting.table) !== digest) return this.#refuse([differs(version)]);
    if (by !== instance) return;
    this.#unrecorded.push({
      type: 'portcullis.admin.v1',
      tenant: DEFAULT_TENANT,
      at: now(),
      data: {
        action: 'rules.changed',
        actor: 'rules-file',
        target: `limit-rules/${version}`,
        rules: { version, before: rules.version, sha256: digest, count: waiting.table.rules.length },
      },
    });
    void this.#record();
  }

  /** How the file does, in words for operators. */
  state(): string {
    const inForce = `version ${this.#ports.rules.version} is in force`;
    if (this.#problems.length > 0) {
      const [first] = this.#problems;
      const more = this.#problems.length - 1;
      return `${inForce}; the file is refused: ${first}${more > 0 ? `, and ${more} more (see the log)` : ''}`;
    }
    return this.#waiting === undefined
      ? inForce
      : `${inForce}; version ${this.#waiting.table.version} is not heard yet`;
  }

  #refuse(problems: readonly string[]): void {
    this.#problems = problems;
    const { log, rules } = this.#ports;
    log.error('the file of rules is refused, and changes nothing', { problems, inForce: rules.version });
  }

  async #tell(waiting: { readonly table: RuleTable; isTold: boolean }): Promise<void> {
    try {
      await this.#ports.tell(waiting.table);
      waiting.isTold = true;
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#ports.log.warn('a table of rules could not be told; trying again', { error });
      this.#isFailing = true;
    }
  }

  async #record(): Promise<void> {
    if (this.#isRecording) return;
    this.#isRecording = true;
    try {
      for (let draft = this.#unrecorded[0]; draft !== undefined; draft = this.#unrecorded[0]) {
        await this.#ports.record(draft);
        this.#unrecorded.shift();
      }
    } catch (error) {
      this.#ports.log.error('that the rules changed could not be recorded; trying again', { error });
    } finally {
      this.#isRecording = false;
    }
  }
}

const isOlder = (version: number, inForce: number): string =>
  `version ${version} is older than version ${inForce}, which is in force; give it a higher one`;
const differs = (version: number): string =>
  `version ${version} is in force with other rules; give what was changed a higher version`;
