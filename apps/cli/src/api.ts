import { isScope, type Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { jsonOf, type Ask, type Question } from './ask.js';
import { ApiRefusal, NotDone } from './faults.js';

/** Which of the gate's own APIs: each has its own audience and its own tokens. */
export type ApiName = 'authAdmin' | 'mcpAdmin' | 'analytics';

export type Query = Readonly<Record<string, string | number | undefined>>;

/** One of the gate's own APIs, asked as an administrator. Paths are below its base and already encoded. */
export interface Api {
  /** @throws ApiRefusal when the answer is not 2xx, NotDone when nobody answers */
  get(path: string, query?: Query): Promise<unknown>;
  send(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, query?: Query): Promise<unknown>;
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** where the next page begins; null = this was the last */
  readonly next: string | null;
}

/**
 * What needs more than it seemed to, such as what touches an administrator, is asked once more with a token for all that
 * the gate says it needs (RFC 6750 §3.1).
 * @param base  URL that paths are appended to, without a trailing slash
 * @param token asked before each request, with the scopes that are needed beside the usual ones
 */
export function apiAt(base: string, token: (beside: readonly Scope[]) => Promise<string>, ask: Ask): Api {
  const request = async (url: string, question: Question): Promise<unknown> => {
    const askWith = async (beside: readonly Scope[]) => {
      const authorization = `Bearer ${await token(beside)}`;
      return ask(url, { ...question, headers: { ...question.headers, authorization, accept: 'application/json' } });
    };
    const first = await askWith([]);
    const needed = first.status === 403 ? neededScopes(jsonOf(first)) : [];
    const reply = needed.length > 0 ? await askWith(needed) : first;
    if (reply.status >= 200 && reply.status < 300) return reply.text === '' ? undefined : jsonOf(reply);
    throw new ApiRefusal(reply.status, refusalText(jsonOf(reply), reply.status));
  };
  return {
    get: (path, query = {}) => request(`${base}${path}${search(query)}`, {}),
    send: (method, path, body, query = {}) =>
      request(`${base}${path}${search(query)}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
  };
}

const insufficient = z.object({ error: z.literal('scope_insufficient'), scopes: z.array(z.string()).max(20) });
const neededScopes = (body: unknown): Scope[] => insufficient.safeParse(body).data?.scopes.filter(isScope) ?? [];

function search(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? '' : `?${given}`;
}

/** What our APIs say with a refusal; `issues` names what is wrong in the request. */
const problem = z.object({
  error: z.string(),
  error_description: z.string().optional(),
  correlation_id: z.string().optional(),
  issues: z.array(z.string()).default([]),
});
function refusalText(body: unknown, status: number): string {
  const { data } = problem.safeParse(body);
  if (data === undefined) return `The gate refused (HTTP ${status}).`;
  const id = data.correlation_id === undefined ? '' : ` (correlation id ${data.correlation_id})`;
  return `The gate refused: ${[data.error_description ?? data.error, ...data.issues].join(' ')}${id}`;
}

/**
 * Takes an answer apart, trusting nothing.
 * @throws NotDone when the gate answers in another shape than this version of portcullis knows
 */
export function expectShape<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') || 'the answer';
  throw new NotDone(
    `The gate answered in a shape this portcullis does not know (${where}). Are both of the same version?`,
  );
}

/** The `{ items, next_cursor }` of our lists. */
export function pageOf<T extends z.ZodType>(item: T, body: unknown): Page<z.output<T>> {
  const { items, next_cursor } = expectShape(
    z.object({ items: z.array(item), next_cursor: z.string().nullish() }),
    body,
  );
  return { items, next: next_cursor ?? null };
}
