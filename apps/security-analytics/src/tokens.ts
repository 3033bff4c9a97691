/** What Nest injects, by name. */
export const DESK = Symbol('desk');
