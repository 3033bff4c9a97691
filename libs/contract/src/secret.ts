const HIDDEN = '[secret]';

/**
 * A string that does not print itself: in logs, errors, JSON, template strings and the debugger it reads `[secret]`.
 * `reveal()` is the one way to the value, so that a search for it finds every use.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN;
  }
}
