/** By what Nest's routes know who asks. */
export const ASKERS = Symbol('askers');
/** The rules that hold now. */
export const RULES = Symbol('rules');
