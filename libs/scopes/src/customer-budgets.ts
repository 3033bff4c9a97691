import { CUSTOMER_BUDGETS } from './caller.js';

/** How long a task lasts at most, in hours: a machine's ends with its token, a person's is as old as the grant may get. */
export const TASK_HOURS = { machine: 1, person: 8 } as const;

/**
 * How many distinct customers one task can come to before its own budget is asked: each hour brings as many as the budget
 * of an hour lets in.
 * @param perHour distinct customers in any hour; the default unless given
 */
export const mostInTask = (whose: keyof typeof TASK_HOURS, perHour: number = CUSTOMER_BUDGETS.perHour): number =>
  perHour * TASK_HOURS[whose];
