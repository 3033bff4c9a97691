import { secret } from '@portcullis/service/secrets.fixture';
import { Browser, formIn, pkce } from './browser.fixture.js';
import { postToken, type Gate, type TokenReply } from './gate.fixture.js';

export const CALLBACK = 'http://127.0.0.1:53211/callback';

/** An authorization request; a parameter that is undefined is left out. */
export function authorizeUrl(gate: Gate, params: Record<string, string | string[] | undefined>): string {
  const url = new URL('/authorize', gate.url);
  const all = { client_id: 'desktop', response_type: 'code', redirect_uri: CALLBACK, state: 's-1', ...params };
  for (const [name, value] of Object.entries(all)) {
    for (const one of [value ?? []].flat()) url.searchParams.append(name, one);
  }
  return url.href;
}

export interface Person {
  readonly username: string;
  readonly password: string;
}

/** What a person types into the login form. */
export const typed = ({ username, password }: Person): Record<string, string> => ({ username, password });

/** Signs in and says yes, as far as pages ask. @returns where the browser was sent, or the page where it stopped */
export async function grantAs(
  gate: Gate,
  person: Person,
  params: Record<string, string | string[] | undefined> = {},
  browser = new Browser(gate.url),
) {
  const { verifier, challenge } = pkce();
  const asked = { code_challenge: challenge, code_challenge_method: 'S256', ...params };
  let page = await browser.open(authorizeUrl(gate, asked));
  const pages: string[] = [];
  for (let turns = 0; page.sentTo === undefined && page.status === 200 && turns < 4; turns += 1) {
    pages.push(page.html);
    const form = formIn(page.html);
    const login = form.action.endsWith('/login');
    page = await browser.submit(form, login ? typed(person) : { decision: 'allow' });
  }
  const code = secret('code', page.sentTo?.searchParams.get('code') ?? undefined);
  return { ...page, pages, verifier: secret('code verifier', verifier), browser, code };
}

export const exchange = (
  gate: Gate,
  code: string,
  verifier: string,
  more: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<TokenReply> =>
  postToken(
    gate,
    {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: CALLBACK,
      ...(headers.authorization === undefined && { client_id: 'desktop' }),
      ...more,
    },
    headers,
  );
