import { v7 as uuidv7 } from 'uuid';
import { call, type Answered, type Rig, type TokenWords } from './rig.fixture.js';

/** A call of a person's agent, with a login that is young enough for every tool. */
export const samsAgent = (rig: Rig, more: TokenWords = {}): TokenWords => ({
  client: 'desktop',
  scope: 'customer:delete email:send data:delete',
  ...more,
  claims: { sub: 'sam', task: 'task-1', auth_time: Math.floor(rig.now() / 1000), ...more.claims },
});

export const DELETE = { customer_id: 'ABC123' };
/** The same call again, now with what `_meta` says of its approval. */
export function withApproval(approval: unknown, name = 'delete_customer', args: unknown = DELETE) {
  const message = call(name, args);
  const { params } = message.body;
  const body = { ...message.body, params: { ...params, _meta: { ...params._meta, 'portcullis/approval': approval } } };
  return { ...message, body };
}

/** What a refusal tells programs. */
export const refusalIn = ({ json }: Answered): Record<string, unknown> =>
  json.result?._meta?.['portcullis/refusal'] ?? {};
export const saysIn = ({ json }: Answered): string => json.result?.content?.[0]?.text ?? '';

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** where it redirects */
  readonly to: string | undefined;
}

/** A person's browser, as far as the pages of approvals need one: one cookie jar, no redirect followed. */
export class Approving {
  readonly jar = new Map<string, string>();

  constructor(
    private readonly rig: Rig,
    readonly words: TokenWords,
  ) {}

  async request(url: string, init: RequestInit = {}): Promise<Page> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', ...init, headers: { cookie, ...init.headers } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.jar.delete(name);
      else this.jar.set(name, value);
    }
    const to = answer.headers.get('location');
    return {
      status: answer.status,
      headers: answer.headers,
      html: await answer.text(),
      to: to === null ? undefined : new URL(to, url).href,
    };
  }

  /** Opens a call and, where that is asked for, comes back from the authorization server with this person's token. */
  async open(url: string): Promise<Page> {
    const first = await this.request(url);
    if (first.to === undefined) return first;
    const back = await this.request(await this.comeBack(first.to));
    return back.to === undefined ? back : this.request(back.to);
  }

  /** @returns the URL that the authorization server sends the browser to */
  async comeBack(authorizeUrl: string, params: Record<string, string> = {}): Promise<string> {
    const asked = new URL(authorizeUrl).searchParams;
    const code = uuidv7();
    this.rig.issuer.codes.set(code, await this.token(asked.get('client_id') ?? ''));
    const url = new URL(asked.get('redirect_uri') ?? '');
    const answer = { code, state: asked.get('state') ?? '', iss: this.rig.issuer.url, ...params };
    for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
    return url.href;
  }

  token(client: string): Promise<string> {
    const { claims } = this.words;
    const aud = new URL('/approvals', this.rig.mcp).href;
    const auth_time = Math.floor(this.rig.now() / 1000);
    const seconds = { iat: auth_time, exp: auth_time + 900 };
    const words = { client, scope: 'approvals:give', ...this.words };
    return this.rig.token({ ...words, claims: { aud, auth_time, ...seconds, ...claims } });
  }

  submit(page: Page, url: string, decision: string, more: Record<string, string> = {}): Promise<Page> {
    const hidden = [...page.html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const fields = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
    return this.request(url, { method: 'POST', body: new URLSearchParams({ ...fields, decision, ...more }) });
  }

  /** Opens a call and says yes or no. */
  async decide(url: string, decision: 'approve' | 'refuse' = 'approve'): Promise<Page> {
    const said = await this.submit(await this.open(url), url, decision);
    return said.to === undefined ? said : this.request(said.to);
  }
}

export const person = (rig: Rig, sub: string, more: TokenWords = {}): Approving =>
  new Approving(rig, { ...more, claims: { sub, ...more.claims } });
