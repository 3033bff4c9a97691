import { Catch, Controller, Get, Inject, Post, Req, Res, UseFilters, UseGuards } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { correlationIdOf } from '@portcullis/service/correlation';
import { pageHeaders } from '@portcullis/guard/headers';
import type { Request, Response } from 'express';
import type { Interaction, InteractionResults } from 'oidc-provider';
import { authEvent, type Who } from './audit.js';
import { tenantOf } from './client-metadata.js';
import { clientOf, FormGuard, interactionAt, interactionOf } from './form-guard.module.js';
import { INTERACTION_PORTS, type InteractionPorts } from './interaction-ports.js';
import { askedOf, consented, consentFor, loginFor, refusedByPerson, signedIn, type Shown } from './interaction.js';
import { LoginGuard, signedInUser } from './login.module.js';
import { errorPage, PAGE_STYLE } from './pages.js';
import { PageProblem, problemPage } from './page-problem.js';
import { SIGN_IN_FAILED } from './sign-in.js';
import type { UserRecord } from './users.js';

/** Whatever goes wrong on a page is a page. */
@Catch()
export class PageFilter implements ExceptionFilter {
  constructor(@Inject(INTERACTION_PORTS) private readonly ports: InteractionPorts) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const { status, page } = problemPage(thrown, correlationIdOf(response));
    if (status >= 500) this.ports.log.error('a page failed', { error: thrown, correlationId: page.correlationId });
    if (response.headersSent) return void response.destroy();
    response.status(status).set(pageHeaders()).type('html').send(errorPage(page));
  }
}

/** The login and consent pages that oidc-provider sends a browser to. */
@Controller('interaction')
@UseFilters(PageFilter)
export class InteractionController {
  constructor(@Inject(INTERACTION_PORTS) private readonly ports: InteractionPorts) {}

  @Get('style.css')
  style(@Res() response: Response): void {
    response.set('Cache-Control', 'public, max-age=3600').type('css').send(PAGE_STYLE);
  }

  @Get(':uid')
  async show(@Req() request: Request, @Res() response: Response): Promise<void> {
    const interaction = await interactionAt(this.ports.provider, request, response);
    answer(response, 200, await this.pageOf(interaction));
  }

  @Post(':uid/login')
  @UseGuards(FormGuard, LoginGuard)
  async login(@Req() request: Request, @Res() response: Response): Promise<void> {
    const interaction = interactionOf(request);
    expectPrompt(interaction, 'login');
    const user = signedInUser(request);
    if (user !== undefined) {
      await this.append('login.succeeded', request, interaction, { sub: user.userId });
      return this.finish(request, response, signedIn(user, this.ports.now() / 1000), false);
    }
    const { username } = request.body as { username?: unknown };
    const again = { problem: SIGN_IN_FAILED, ...(typeof username === 'string' && { username }) };
    answer(response, 400, await this.pageOf(interaction, again));
  }

  @Post(':uid/consent')
  @UseGuards(FormGuard)
  async consent(@Req() request: Request, @Res() response: Response): Promise<void> {
    const interaction = interactionOf(request);
    expectPrompt(interaction, 'consent');
    const asked = askedOf(interaction);
    const sub = asked.accountId;
    const { decision } = request.body as { decision?: unknown };
    const facts = { ...(asked.scope && { scope: asked.scope }), ...(asked.resource && { resource: asked.resource }) };
    if (decision !== 'allow') {
      await this.append('consent.refused', request, interaction, { sub }, facts);
      return this.finish(request, response, refusedByPerson, false);
    }
    const grant = new this.ports.provider.Grant({ accountId: sub, clientId: asked.clientId });
    const { login, api } = consented(asked);
    if (login) grant.addOIDCScope(login);
    if (api && asked.resource) grant.addResourceScope(asked.resource, api);
    await this.append('consent.granted', request, interaction, { sub }, facts);
    const grantId = await grant.save();
    // so that signing out ends it, also when this client gets a later one
    if (interaction.session) await this.ports.artefacts.noteSession(grantId, interaction.session.uid);
    await this.finish(request, response, { consent: { grantId } }, true);
  }

  @Post(':uid/cancel')
  @UseGuards(FormGuard)
  async cancel(@Req() request: Request, @Res() response: Response): Promise<void> {
    const interaction = interactionOf(request);
    await this.append('login.cancelled', request, interaction, { sub: interaction.session?.accountId });
    await this.finish(request, response, refusedByPerson, false);
  }

  private async pageOf(interaction: Interaction, again = {}): Promise<Shown> {
    const { provider, users, formToken } = this.ports;
    const asked = askedOf(interaction);
    const client = await clientOf(this.ports.provider, interaction);
    const token = formToken.make(interaction.uid);
    if (interaction.prompt.name === 'login') return loginFor(interaction.uid, asked, client, token, again);
    const user = asked.accountId === undefined ? undefined : await users.byId(tenantOf(client), asked.accountId);
    if (interaction.prompt.name !== 'consent' || user === undefined) {
      throw new Error(`${provider.issuer} has no page for the prompt ${interaction.prompt.name}`);
    }
    return consentFor(interaction.uid, asked, client, user, token);
  }

  /** oidc-provider takes it from here: it redirects the browser. `merge` keeps what earlier pages of this request said. */
  private finish(request: Request, response: Response, result: InteractionResults, merge: boolean): Promise<void> {
    return this.ports.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: merge });
  }

  private async append(
    action: 'login.succeeded' | 'login.cancelled' | 'consent.granted' | 'consent.refused',
    request: Request,
    interaction: Interaction,
    { sub }: { readonly sub?: UserRecord['userId'] | undefined },
    facts: { readonly scope?: string; readonly resource?: string } = {},
  ): Promise<void> {
    const client = await clientOf(this.ports.provider, interaction);
    const who: Who = { tenant: tenantOf(client), clientId: client.clientId, sub, proven: action !== 'login.cancelled' };
    const address = this.ports.addressOf(request).slice(0, 64);
    await this.ports.events.append(authEvent(action, who, { ...facts, address }, this.ports.now()));
  }
}

function answer(response: Response, status: number, { html, formTargets }: Shown): void {
  response.status(status).set(pageHeaders(formTargets)).type('html').send(html);
}

function expectPrompt(interaction: Interaction, name: string): void {
  if (interaction.prompt.name !== name) throw new PageProblem(400, 'This page belongs to another step of the sign-in.');
}
