import {
  Catch,
  Controller,
  Get,
  HttpException,
  Inject,
  Param,
  Post,
  Req,
  Res,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { refusalOf, REFUSALS } from '@portcullis/contract/refusals';
import type { Log } from '@portcullis/contract/log';
import { isApprovalId, type ApprovalId, type ApprovalRecord } from '@portcullis/guard/approvals';
import { networkOf } from '@portcullis/guard/addresses';
import type { FailureBudget } from '@portcullis/guard/credentials';
import { pageHeaders, retryHeader } from '@portcullis/guard/headers';
import { correlationIdOf } from '@portcullis/service/correlation';
import type { Request, Response } from 'express';
import { approverOf, decide, type Approver, type ApproverChecks, type DecisionPorts } from './approvals/approver.js';
import { approvalPage, APPROVALS_PATH, PAGE_STYLE, problemPage, type ProblemPage } from './approvals/pages.js';
import type { SealedCookies } from './approvals/sealed.js';
import { MAX_AGE, type Begun, type SignIn } from './approvals/sign-in.http.js';

export const APPROVAL_PAGES = Symbol('approval pages');

export interface ApprovalPagesPorts extends DecisionPorts {
  readonly checks: ApproverChecks;
  readonly signIn: SignIn;
  readonly cookies: SealedCookies;
  /** of those who ask for calls that are not there, by the network they ask from */
  readonly failures: FailureBudget;
  addressOf(request: Request): string;
  /** audience of the approvals, which is where the pages are, as the outside knows it */
  readonly approvalsUrl: string;
  readonly log: Log;
}

/** A "no" that a person reads in their browser. */
class PageProblem extends Error {
  constructor(
    readonly status: number,
    readonly page: ProblemPage,
  ) {
    super(page.says);
  }
}

/** Unknown, expired, and of another tenant: nobody can tell which. */
const nothingHere = () =>
  new PageProblem(404, {
    title: 'Nothing to approve',
    says: 'There is no such call, or nobody can decide on it any more.',
  });
const notPossible = (says: string, next?: ProblemPage['next']) =>
  new PageProblem(403, { title: 'This does not work', says, next });
const openAgain = (id: ApprovalId) => ({ href: `${APPROVALS_PATH}/${id}`, says: 'Open the call again' });

/** Whatever goes wrong on a page is a page. */
@Catch()
export class ApprovalPageFilter implements ExceptionFilter {
  constructor(@Inject(APPROVAL_PAGES) private readonly ports: ApprovalPagesPorts) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const correlationId = correlationIdOf(response);
    if (thrown instanceof PageProblem)
      return answer(response, thrown.status, problemPage({ ...thrown.page, correlationId }));
    if (thrown instanceof HttpException && thrown.getStatus() < 500) {
      const page = { title: 'This does not work', says: 'This request cannot be read.', correlationId };
      return answer(response, thrown.getStatus(), problemPage(page));
    }
    const { code, facts } = refusalOf(thrown);
    const { http, says } = REFUSALS[code];
    if (http === 429) {
      response.set(retryHeader(facts.retryAfterMs ?? 1000));
      return answer(response, 429, problemPage({ title: 'Too many requests', says, correlationId }));
    }
    this.ports.log.error('a page failed', { error: thrown, correlationId });
    if (response.headersSent) return void response.destroy();
    const status = http === 503 ? 503 : 500;
    if (status === 503) response.set('Retry-After', '1');
    answer(response, status, problemPage({ title: 'Something went wrong', says, correlationId }));
  }
}

/** The pages on which people approve calls. Who opens one signs in at our authorization server first, anew if that was long ago. */
@Controller('approvals')
@UseFilters(ApprovalPageFilter)
export class ApprovalsController {
  readonly #secure: boolean;

  constructor(@Inject(APPROVAL_PAGES) private readonly ports: ApprovalPagesPorts) {
    this.#secure = ports.approvalsUrl.startsWith('https:');
  }

  @Get('style.css')
  style(@Res() response: Response): void {
    response.set('Cache-Control', 'public, max-age=3600').type('css').send(PAGE_STYLE);
  }

  @Get('callback')
  async callback(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { signIn, cookies, approvalsUrl, checks } = this.ports;
    const begun = begunIn(cookies.open('login', this.#cookie(request, 'login')));
    if (begun === undefined)
      throw notPossible('This sign-in has expired, or was finished already. Open the call again.');
    const url = new URL(`${approvalsUrl}/callback`);
    url.search = new URL(request.originalUrl, url).search;
    const back = await signIn.finish(url, begun);
    if (back === 'broken') throw notPossible('This is not the answer to your sign-in.', openAgain(begun.id));
    const approver = back === 'refused' ? undefined : await approverOf(back.token, checks, MAX_AGE);
    if (back === 'refused' || approver?.tenant !== begun.tenant)
      throw notPossible('You are not signed in as somebody who may approve calls.', openAgain(begun.id));
    this.#setCookie(response, 'login', undefined);
    this.#setCookie(response, 'session', cookies.seal('session', { token: back.token }));
    redirect(response, `${APPROVALS_PATH}/${begun.id}`);
  }

  @Get(':id')
  async show(@Param('id') id: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const { cookies, signIn, now } = this.ports;
    const { record, tenant } = await this.#recordOf(id, request);
    const approver = await this.#approver(request);
    if (approver === undefined) {
      const { url, begun } = await signIn.begin(tenant);
      this.#setCookie(response, 'login', cookies.seal('login', { ...begun, id: record.id }));
      return redirect(response, url);
    }
    if (approver.tenant !== tenant) throw nothingHere();
    const viewer = { who: approver.who, formToken: cookies.formToken(formOf(approver, record.id)) };
    answer(response, 200, approvalPage(record, viewer, now()));
  }

  @Post(':id')
  async decide(@Param('id') id: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    if (!isApprovalId(id)) throw nothingHere();
    const approver = await this.#approver(request);
    // a page, since a redirect that answers a form may not leave this origin
    if (approver === undefined) throw notPossible('You signed in too long ago. Open the call again.', openAgain(id));
    const { form_token: token, decision } = (request.body ?? {}) as { form_token?: unknown; decision?: unknown };
    const site = request.headers['sec-fetch-site'];
    if ((site !== undefined && site !== 'same-origin') || !this.ports.cookies.fits(formOf(approver, id), token))
      throw notPossible('This form did not come from our page.', openAgain(id));
    if (decision !== 'approve' && decision !== 'refuse')
      throw notPossible('This is neither yes nor no.', openAgain(id));
    const outcome = await decide(approver, id, decision === 'approve', this.ports);
    if (outcome === 'unknown') throw nothingHere();
    if (outcome === 'own_call') throw notPossible('This call is made in your name, so somebody else has to decide.');
    // what else became of it, the page says
    redirect(response, `${APPROVALS_PATH}/${id}`);
  }

  /** Anybody may ask, so who keeps asking for what is not there is stopped before the database is asked. */
  async #recordOf(id: string, request: Request): Promise<{ record: ApprovalRecord; tenant: string }> {
    if (!isApprovalId(id)) throw nothingHere();
    const { approvals, failures, addressOf, now } = this.ports;
    const find = async () => {
      const tenant = await approvals.tenantOf(id);
      const record = tenant === undefined ? undefined : await approvals.find(tenant, id);
      if (tenant === undefined || record === undefined || now() >= record.expiresAt) throw nothingHere();
      return { record, tenant };
    };
    return failures.attempt(networkOf(addressOf(request)), find, (error) => error instanceof PageProblem);
  }

  async #approver(request: Request): Promise<Approver | undefined> {
    const { token } = (this.ports.cookies.open('session', this.#cookie(request, 'session')) ?? {}) as {
      token?: unknown;
    };
    return typeof token === 'string' ? approverOf(token, this.ports.checks, MAX_AGE) : undefined;
  }

  /** RFC 6265bis §4.1.3.2: the prefix needs https */
  #name(use: 'login' | 'session'): string {
    return `${this.#secure ? '__Host-' : ''}portcullis_approvals_${use}`;
  }

  #cookie(request: Request, use: 'login' | 'session'): string | undefined {
    const start = `${this.#name(use)}=`;
    const [found, ...more] = (request.headers.cookie ?? '').split(/; */).filter((pair) => pair.startsWith(start));
    return more.length > 0 ? undefined : found?.slice(start.length);
  }

  #setCookie(response: Response, use: 'login' | 'session', value: string | undefined): void {
    const maxAge = value === undefined ? 0 : (use === 'login' ? 600 : MAX_AGE) * 1000;
    response.cookie(this.#name(use), value ?? '', {
      maxAge,
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: this.#secure,
    });
  }
}

/** What a form is good for: one person's session and one call. */
const formOf = ({ session }: Approver, id: ApprovalId): string => `${session} ${id}`;

function begunIn(value: unknown): (Begun & { readonly id: ApprovalId }) | undefined {
  const { tenant, state, verifier, id } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof tenant !== 'string' || typeof state !== 'string' || typeof verifier !== 'string') return undefined;
  return isApprovalId(id) ? { tenant, state, verifier, id } : undefined;
}

const answer = (response: Response, status: number, html: string): void =>
  void response.status(status).set(pageHeaders()).type('html').send(html);

const redirect = (response: Response, to: string): void => void response.set(pageHeaders()).redirect(303, to);
