import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Client, Interaction, Provider } from 'oidc-provider';
import { authEvent } from './audit.js';
import { tenantOf } from './client-metadata.js';
import { INTERACTION_PORTS, type InteractionPorts } from './interaction-ports.js';
import { PageProblem } from './page-problem.js';

const interactions = new WeakMap<Request, Interaction>();

/**
 * Lets a form through that our own page in the same browser sent: the browser holds the cookie of this interaction, the
 * form holds the token that only its page could know, and the browser does not say that another site sent it.
 */
@Injectable()
export class FormGuard implements CanActivate {
  constructor(@Inject(INTERACTION_PORTS) private readonly ports: InteractionPorts) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    // passport-local would also read a password from the URL, where logs and histories keep it
    if (Object.keys(request.query).length > 0 || request.is('urlencoded') === false) {
      throw new PageProblem(400, 'This form was not sent the way our page sends it. Go back and start again.');
    }
    const interaction = await interactionAt(this.ports.provider, request, http.getResponse<Response>());
    const site = request.headers['sec-fetch-site'];
    const { form_token: token } = (request.body ?? {}) as { form_token?: unknown };
    if ((site !== undefined && site !== 'same-origin') || !this.ports.formToken.fits(interaction.uid, token)) {
      await this.refuse(request, interaction);
      throw new PageProblem(403, 'This form did not come from our page. Go back and start again.');
    }
    interactions.set(request, interaction);
    return true;
  }

  private async refuse(request: Request, interaction: Interaction): Promise<void> {
    const { provider, refused, addressOf, now } = this.ports;
    const client = await clientOf(provider, interaction);
    const who = { tenant: tenantOf(client), clientId: client.clientId, proven: false };
    const address = addressOf(request).slice(0, 64);
    const reason = `a form of another site, or without the token of our page (${interaction.prompt.name})`;
    await refused(address, (more) => authEvent('form.refused', who, { address, reason: `${reason}${more}` }, now()));
  }
}

/** The interaction a form belongs to, behind a {@link FormGuard}. */
export function interactionOf(request: Request): Interaction {
  const interaction = interactions.get(request);
  if (interaction === undefined) throw new Error('interactionOf on a route without FormGuard');
  return interaction;
}

/**
 * The interaction that both the path and the browser's cookie name.
 * @throws errors.SessionNotFound when there is none (any more)
 */
export async function interactionAt(provider: Provider, request: Request, response: Response): Promise<Interaction> {
  const interaction = await provider.interactionDetails(request, response);
  if (interaction.uid !== request.params.uid) throw new PageProblem(400, 'This page belongs to another sign-in.');
  return interaction;
}

export async function clientOf(provider: Provider, interaction: Interaction): Promise<Client> {
  const client = await provider.Client.find(String(interaction.params.client_id));
  if (client === undefined) throw new PageProblem(400, 'The program that sent you here is no longer registered.');
  return client;
}
