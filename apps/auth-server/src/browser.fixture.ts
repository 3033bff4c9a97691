import { createHash, randomBytes } from 'node:crypto';
import { secret } from '@portcullis/service/secrets.fixture';

/** A form as a browser without scripts finds it in a page. */
export interface Form {
  readonly action: string;
  readonly hidden: Record<string, string>;
}

/** What a browser without scripts does: keeps cookies per path, follows redirects, fills in forms. */
export class Browser {
  readonly #jar = new Map<string, { value: string; path: string }>();

  constructor(readonly origin: string) {}

  cookies = (path: string): string =>
    [...this.#jar]
      .filter(([, cookie]) => path === cookie.path || path.startsWith(cookie.path.replace(/\/?$/, '/')))
      .map(([name, cookie]) => `${name}=${cookie.value}`)
      .join('; ');

  /** One request, no redirect followed. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url, this.origin);
    const headers = new Headers(init.headers);
    headers.set('accept', 'text/html');
    if (this.cookies(pathname)) headers.set('cookie', this.cookies(pathname));
    const response = await fetch(new URL(url, this.origin), { redirect: 'manual', ...init, headers });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  /** Follows redirects as long as they stay here. @returns the page, or where it was sent outside */
  async open(
    url: string,
    init: RequestInit = {},
  ): Promise<{ status: number; html: string; headers: Headers; sentTo?: URL }> {
    let response = await this.request(url, init);
    for (let hops = 0; response.status >= 300 && response.status < 400; hops += 1) {
      const to = new URL(response.headers.get('location') ?? '', this.origin);
      if (to.origin !== this.origin)
        return { status: response.status, html: '', headers: response.headers, sentTo: to };
      if (hops > 10) throw new Error(`too many redirects, last to ${to.pathname}`);
      response = await this.request(to.href);
    }
    return { status: response.status, html: await response.text(), headers: response.headers };
  }

  submit(form: Form, fields: Record<string, string>, headers: Record<string, string> = {}) {
    const body = new URLSearchParams({ ...form.hidden, ...fields });
    return this.open(form.action, {
      method: 'POST',
      body,
      headers: { origin: this.origin, 'sec-fetch-site': 'same-origin', ...headers },
    });
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/);
    const at = pair.indexOf('=');
    const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/';
    const value = pair.slice(at + 1);
    if (value === '') this.#jar.delete(pair.slice(0, at));
    else this.#jar.set(pair.slice(0, at), { value: secret('cookie', value), path });
  }
}

export function formIn(html: string): Form {
  const action = /<form[^>]*\saction="([^"]+)"/.exec(html)?.[1];
  if (action === undefined) throw new Error(`no form in: ${html.slice(0, 500)}`);
  const hidden = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  for (const [, , value] of hidden) secret('form token', value);
  return { action, hidden: Object.fromEntries(hidden.map(([, name, value]) => [name ?? '', value ?? ''])) };
}

export const pkce = () => {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
};
