/** One script holds up everybody else on the server for as long as it runs. */
const AT_ONCE = 128;

/**
 * Collects what is asked in one turn of the event loop and has it answered together: one round trip costs ten times what one
 * question more in it does.
 * @param answer asks for all of one group (a slot of Redis, so a tenant), in the order they came; as many answers as questions
 * @returns asks one; rejects as `answer` does, for each that was asked with it
 */
export function perTurn<Question, Answer>(
  answer: (group: string, questions: readonly Question[]) => Promise<readonly Answer[]>,
): (group: string, question: Question) => Promise<Answer> {
  interface Waiting {
    readonly question: Question;
    readonly resolve: (answer: Answer) => void;
    readonly reject: (error: unknown) => void;
  }
  const groups = new Map<string, Waiting[]>();

  const ask = (group: string, all: readonly Waiting[]): void => {
    answer(
      group,
      all.map(({ question }) => question),
    ).then(
      (answers) => all.forEach(({ resolve }, n) => resolve(answers[n]!)),
      (error: unknown) => all.forEach(({ reject }) => reject(error)),
    );
  };
  const flush = (): void => {
    const turn = [...groups];
    groups.clear();
    for (const [group, all] of turn) {
      for (let from = 0; from < all.length; from += AT_ONCE) ask(group, all.slice(from, from + AT_ONCE));
    }
  };

  return (group, question) =>
    new Promise((resolve, reject) => {
      if (groups.size === 0) setImmediate(flush);
      const waiting = groups.get(group);
      const one = { question, resolve, reject };
      if (waiting === undefined) groups.set(group, [one]);
      else waiting.push(one);
    });
}
