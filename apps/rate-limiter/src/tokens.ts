/** What Nest injects the {@link Limiter} under. */
export const LIMITER = Symbol('limiter');
