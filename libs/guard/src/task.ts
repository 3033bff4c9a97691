import { Refusal } from '@portcullis/contract/refusals';
import type { Following } from './chain.js';
import type { AnyTool, NamedCustomers } from './tool.js';
import type { History, Taken } from './history.js';

export interface TaskPorts {
  readonly history: History;
}
type Customers = readonly string[];
export type CustomersOf = NonNullable<AnyTool['customersOf']>;
export type LookUp = (customersOf: CustomersOf) => Promise<NamedCustomers>;

/**
 * Before a call is executed: are the customers that it names within its task and its budgets? They are taken then, also
 * those that do not exist, since asking for them is how they are guessed.
 * In a task that is bound to a customer nothing is executed whose answer hangs on others, nor on what is not there.
 * @param lookUp asks a tool that has to look in its data to know whose they are
 * @returns the customers that it names, which are those that it may touch; undefined for a tool that names none
 * @throws Refusal row_forbidden, which is a denial
 */
export function takeNamed(
  call: Following,
  input: unknown,
  lookUp: LookUp,
  ports: TaskPorts,
): Customers | undefined | Promise<Customers> {
  const { tool, caller } = call;
  if (caller.taskCustomer !== undefined) {
    if (!saysWhose(call)) throw denied(call, `${tool.name} does not say whose data it touches`);
    if (lists(call)) throw denied(call, `${tool.name} lists customers`, { hint: NO_LISTS });
  }
  const { customersOf } = tool;
  if (customersOf === undefined) return undefined;
  // one parameter: it says so from the arguments alone, which is the case of nearly all calls
  const named = customersOf.length === 1 ? customersOf(input, undefined as never) : lookUp(customersOf);
  return named instanceof Promise
    ? named.then((known) => takeThere(call, known, ports))
    : takeThere(call, named, ports);
}

function takeThere(call: Following, named: NamedCustomers, ports: TaskPorts): Customers | Promise<Customers> {
  const customers = named.includes(undefined)
    ? named.filter((customer) => customer !== undefined)
    : (named as Customers);
  // what is not there answers as what is another's, and before anything else can
  if (customers.length < named.length && call.caller.taskCustomer !== undefined)
    throw denied(call, 'names what is not there');
  const taken = take(call, customers, ports);
  return taken instanceof Promise ? taken.then(() => customers) : customers;
}

/**
 * After a call was executed, before its output leaves: are the customers that it shows within its task and its budgets?
 * @throws Refusal row_forbidden, which is a denial
 */
export function takeShown(call: Following, output: unknown, ports: TaskPorts): void | Promise<void> {
  const shown = call.tool.customersIn?.(output);
  return shown && take(call, shown, ports);
}

/**
 * After a call was refused while it was executed: in a task that is bound to a customer, a record that is not there is the
 * denial that another customer's is, where only the output could tell the two apart.
 */
export function noteMissing({ caller, tool, record }: Following, error: unknown): void {
  if (caller.taskCustomer === undefined || tool.customersOf !== undefined || tool.customersIn === undefined) return;
  if (error instanceof Refusal && error.code === 'row_forbidden') record.denial = true;
}

/** In a task that is bound to one customer, a tool that may touch data has to say whose. */
const saysWhose = ({ tool }: Following): boolean =>
  tool.customersOf !== undefined || tool.customersIn !== undefined || tool.effects.every((effect) => effect === 'none');

const NO_LISTS = 'This task is bound to one customer, so lists of customers are not open to it.';
/** A tool that names no customer and shows their personal data shows whoever is there: how many, and which, tells of others. */
const lists = ({ tool: { customersOf, customersIn, effects } }: Following): boolean =>
  customersOf === undefined &&
  customersIn !== undefined &&
  effects.some((effect) => effect === 'reads-pii' || effect === 'reads-pii-in-bulk');

function take(call: Following, customers: readonly string[], { history }: TaskPorts): void | Promise<void> {
  if (customers.length === 0) return;
  const { caller } = call;
  const { taskCustomer, customersPerTask: perTask, customersPerHour: perHour } = caller;
  // it looks exactly as a record that is not there, so that nothing is learned of others
  if (taskCustomer !== undefined && customers.some((customer) => customer !== taskCustomer)) {
    throw denied(call, 'another customer than that of the task');
  }
  const taken = history.take(caller.tenant, caller, { customers }, { perTask, perHour });
  if (taken instanceof Promise) return taken.then((become) => expectWithin(call, become));
  expectWithin(call, taken);
}

function expectWithin(call: Following, taken: Taken): void {
  if (taken === 'taken') return;
  const { task, customersPerTask, customersPerHour } = call.caller;
  const budgets =
    task === undefined
      ? `${customersPerHour} an hour`
      : `${customersPerTask} in one task and ${customersPerHour} an hour`;
  throw denied(call, 'over the budget of distinct customers', {
    hint: `This agent may touch so many distinct customers: ${budgets}. This call would go beyond; those it has touched already stay open to it.`,
  });
}

function denied({ record }: Following, detail: string, facts: { hint?: string } = {}): Refusal {
  record.denial = true;
  return new Refusal('row_forbidden', facts, { detail });
}
