import type { LimitQuestion } from '@portcullis/contract/limits';
import type { Count } from './counts.memory.js';
import { planOf, type Draw, type DrawPlan } from './draws.js';
import type { RuleTable } from './rule-table.js';

/** A question that was asked, and what it drew on. */
export interface Asked {
  readonly table: RuleTable;
  readonly question: LimitQuestion;
  readonly draws: readonly Draw[];
  /** one for each draw, as far as they were looked up; a hint that may be out of date (`isForgotten`) */
  readonly counts: (Count | undefined)[];
}

/** questions of one generation; some 700 bytes each */
const MOST_KEPT = 50_000;
/** questions of one principal */
const MOST_QUESTIONS = 16;

/**
 * The last questions of those who ask now. An agent asks the same over and over, and writing the keys of its counts costs
 * more than counting. Two generations, so that forgetting whoever was quiet costs nothing.
 */
export class RecentQuestions {
  #young = new Map<string, Asked[]>();
  #old = new Map<string, Asked[]>();
  /** questions and principals of the young generation */
  #kept = 0;
  #table: RuleTable | undefined;
  /** of that table */
  #plan!: DrawPlan;

  /** The question with what it draws on. @throws RangeError as drawsOf does */
  ask(table: RuleTable, question: LimitQuestion): Asked {
    if (table !== this.#table) {
      this.#table = table;
      this.#plan = planOf(table);
    }
    const plan = this.#plan;
    const known = this.#of(question.principal);
    for (let i = 0; i < known.length; i++) {
      const asked = known[i]!;
      if (asked.table === table && isSame(asked.question, question, plan)) return asked;
    }
    const draws = plan(question);
    // the caller may change its object later
    const asked: Asked = { table, question: { ...question }, draws, counts: new Array(draws.length).fill(undefined) };
    if (known.length >= MOST_QUESTIONS) known.shift();
    else this.#kept += 1;
    known.push(asked);
    return asked;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#kept = 0;
  }

  #of(principal: string): Asked[] {
    let known = this.#young.get(principal);
    if (known !== undefined) return known;
    if (this.#kept >= MOST_KEPT) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#kept = 0;
    }
    known = this.#old.get(principal) ?? [];
    this.#kept += 1 + known.length;
    this.#young.set(principal, known);
    return known;
  }
}

/** All of a question that its draws hang on: an agent that comes from many addresses asks the same where nothing is counted by them. */
const isSame = (a: LimitQuestion, b: LimitQuestion, { by }: DrawPlan): boolean =>
  a.tool === b.tool &&
  a.stage === b.stage &&
  a.llmTokens === b.llmTokens &&
  a.share === b.share &&
  a.costMicros === b.costMicros &&
  a.tenant === b.tenant &&
  (a.user === b.user || !by.has('user')) &&
  (a.address === b.address || !by.has('address')) &&
  ((a.chain === undefined && b.chain === undefined) || !by.has('chain'));
