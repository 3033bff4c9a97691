/** What Nest injects the {@link Limiter} under. */
export const LIMITER = Symbol('limiter');
/** The rules that hold now. */
export const RULES = Symbol('rules');
