import { refusalOf, REFUSALS, Refusal } from '@portcullis/contract/refusals';
import type { ErrorPage } from './pages.js';

/** A "no" that a person reads in their browser. */
export class PageProblem extends Error {
  override readonly name = 'PageProblem';

  /** @param status HTTP status, 400..499 */
  constructor(
    readonly status: number,
    says: string,
  ) {
    super(says);
  }
}

/** The page that a thrown value amounts to: never a stack or the words of a library. */
export function problemPage(thrown: unknown, correlationId: string): { status: number; page: ErrorPage } {
  if (thrown instanceof PageProblem) {
    return { status: thrown.status, page: { title: 'This does not work', says: thrown.message, correlationId } };
  }
  if (isGone(thrown)) {
    const says = 'This sign-in has expired, or was finished already. Go back to the program that sent you here.';
    return { status: 400, page: { title: 'Start again', says, correlationId } };
  }
  const status = thrown instanceof Refusal ? REFUSALS[thrown.code].http : statusOf(thrown);
  if (status === 404) return { status, page: { title: 'Nothing here', says: 'There is no such page.', correlationId } };
  if (status >= 400 && status < 500) {
    return { status, page: { title: 'This does not work', says: 'The form cannot be read.', correlationId } };
  }
  const { says } = REFUSALS[refusalOf(thrown).code];
  return { status: status === 503 ? 503 : 500, page: { title: 'Something went wrong', says, correlationId } };
}

/** oidc-provider's errors.SessionNotFound: by name, so that this file needs none of it. */
const isGone = (thrown: unknown): boolean => (thrown as { name?: unknown } | null)?.name === 'SessionNotFound';

function statusOf(thrown: unknown): number {
  const { status, getStatus } = (thrown ?? {}) as { status?: unknown; getStatus?: unknown };
  const said: unknown = typeof getStatus === 'function' ? getStatus.call(thrown) : status;
  return typeof said === 'number' ? said : 500;
}
