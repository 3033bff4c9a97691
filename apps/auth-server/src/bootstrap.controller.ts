import { Controller, Get, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import { base32, DEFAULT_TENANT } from '@portcullis/contract/ids';
import { pageHeaders } from '@portcullis/guard/headers';
import type { Request, Response } from 'express';
import { newFirstAdministrator } from './admin-users.js';
import { adminEvent } from './audit.js';
import { BOOTSTRAP_ACTOR, isLinkToken, linkHash, recordLinks, type BootstrapLinks } from './bootstrap-links.js';
import { bootstrapDonePage, bootstrapPage } from './bootstrap-page.js';
import type { FormToken } from './cookie-keys.js';
import { PageFilter } from './interaction.controller.js';
import type { InteractionPorts } from './interaction-ports.js';
import { PageProblem } from './page-problem.js';
import { hashPassword, SALT_BYTES } from './password.js';
import type { UserRecord } from './users.js';

export interface BootstrapPorts extends Pick<InteractionPorts, 'events' | 'now'> {
  readonly links: BootstrapLinks;
  readonly formToken: FormToken;
  randomBytes(count: number): Uint8Array;
}
export const BOOTSTRAP_PORTS = Symbol('bootstrap ports');

/** The page behind the link that `portcullis bootstrap` prints. */
@Controller('bootstrap')
@UseFilters(PageFilter)
export class BootstrapController {
  constructor(@Inject(BOOTSTRAP_PORTS) private readonly ports: BootstrapPorts) {}

  @Get(':token')
  async show(@Res() response: Response, @Param('token') token: string): Promise<void> {
    await this.expectGood(token);
    this.answer(response, 200, bootstrapPage({ token, formToken: this.formTokenOf(token) }));
  }

  @Post(':token')
  async make(@Req() request: Request, @Res() response: Response, @Param('token') token: string): Promise<void> {
    this.expectOurForm(request, token);
    await this.expectGood(token);
    const sent = (request.body ?? {}) as Record<string, unknown>;
    const again = (problem: string): void => {
      const username = typeof sent.username === 'string' ? sent.username.slice(0, 64) : undefined;
      this.answer(response, 400, bootstrapPage({ token, formToken: this.formTokenOf(token), problem, username }));
    };
    const { form_token: _token, ...fields } = sent;
    const parsed = newFirstAdministrator.safeParse(fields);
    if (!parsed.success) return again(parsed.error.issues[0]?.message ?? 'Fill in the form.');
    const user = await this.userOf(parsed.data);
    const { links, events, now } = this.ports;
    // its making before its use
    await recordLinks(links, events, now);
    const became = await links.spend(DEFAULT_TENANT, linkHash(token), now(), user, () => this.record(user));
    if (became === 'name_taken') return again('Somebody has that user name already. Choose another.');
    if (became === 'not_good') throw notGood();
    this.answer(response, 200, bootstrapDonePage(user.username));
  }

  private async userOf({ username, password }: { username: string; password: string }): Promise<UserRecord> {
    const { randomBytes, now } = this.ports;
    return {
      tenant: DEFAULT_TENANT,
      userId: `usr_${base32(randomBytes(16))}`,
      username,
      passwordHash: await hashPassword(password, randomBytes(SALT_BYTES)),
      // nobody hands out what they have not: the people who respond are made by this one
      roles: ['admin', 'responder'],
      demo: false,
      disabled: false,
      createdAt: now(),
      version: 1,
    };
  }

  private async record({ tenant, userId }: UserRecord): Promise<void> {
    const { events, now } = this.ports;
    const reason = 'first administrator, by the link of portcullis bootstrap';
    await events.append(
      adminEvent(tenant, { action: 'user.created', actor: BOOTSTRAP_ACTOR, target: userId, reason }, now()),
    );
  }

  /** One answer for every link that is not good: it does not say whether there ever was one. */
  private async expectGood(token: string): Promise<void> {
    const { links, now } = this.ports;
    if (!isLinkToken(token) || !(await links.isGood(DEFAULT_TENANT, linkHash(token), now()))) throw notGood();
  }

  private expectOurForm(request: Request, token: string): void {
    const site = request.headers['sec-fetch-site'];
    const { form_token: formToken } = (request.body ?? {}) as { form_token?: unknown };
    if (Object.keys(request.query).length > 0 || request.is('urlencoded') === false) {
      throw new PageProblem(400, 'This form was not sent the way our page sends it.');
    }
    if ((site !== undefined && site !== 'same-origin') || !this.ports.formToken.fits(formOf(token), formToken)) {
      throw new PageProblem(403, 'This form did not come from our page. Open the link again.');
    }
  }

  private formTokenOf(token: string): string {
    return this.ports.formToken.make(formOf(token));
  }

  private answer(response: Response, status: number, html: string): void {
    // the link is in the address: nobody it leads to may learn it
    const headers = { ...pageHeaders(), 'Referrer-Policy': 'no-referrer' };
    response.status(status).set(headers).type('html').send(html);
  }
}

const formOf = (token: string): string => `bootstrap:${token}`;
const notGood = (): PageProblem =>
  new PageProblem(
    404,
    'This link is not good: it works once, for half an hour, and only before there is an administrator.',
  );
