/** A browser reduced to what our pages need: cookies, redirects, the first form of a page. No JavaScript. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  /** @param origin where it stays; it stops at a redirect to anywhere else */
  constructor(private readonly origin: string) {}

  async open(url: string, form?: Record<string, string>): Promise<{ url: string; html: string }> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      this.#cookies.set(name!, value!);
    }
    const location = answer.headers.get('location');
    if (location === null) return { url, html: await answer.text() };
    const next = new URL(location, url).href;
    return next.startsWith(this.origin) ? this.open(next) : { url: next, html: '' };
  }

  submit(page: { url: string; html: string }, fields: Record<string, string>) {
    const action = /<form[^>]*\saction="([^"]+)"/.exec(page.html)![1]!;
    const hidden = [...page.html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const values = Object.fromEntries(hidden.map(([, name, value]) => [name, value]));
    return this.open(new URL(action, page.url).href, { ...values, ...fields });
  }

  /** Signs the person in and says yes. @returns what the client is sent, such as `code` */
  async grant(authorizeUrl: string, person: { username: string; password: string }): Promise<URLSearchParams> {
    const login = await this.open(authorizeUrl);
    const consent = await this.submit(login, { username: person.username, password: person.password });
    const back = await this.submit(consent, { decision: 'allow' });
    return new URL(back.url).searchParams;
  }
}
