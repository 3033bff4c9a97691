import { Body, Controller, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { principalId } from '@portcullis/contract/ids';
import { Refusal } from '@portcullis/contract/refusals';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import { ApiProblem } from '@portcullis/service/problem';
import type { Request } from 'express';
import { ADMIN_PORTS, mayEnd, record, tenantFor, type AdminPorts } from './admin-ports.js';
import { namedIn, revocationBody, REVOKING_NEEDS } from './admin-revocations.js';
import { expectScope } from './admin-rights.js';
import { LOCAL_ADMIN } from './audit.js';
import type { Agent } from './grants.js';
import type { ToRevoke } from './revoking.js';

@Controller('admin/v1/revocations')
@UseGuards(bearerGuard())
export class AdminRevocationsController {
  constructor(@Inject(ADMIN_PORTS) private readonly ports: AdminPorts) {}

  /** Revokes a token, a grant, or everything that an agent, a client or a person has been given until now. */
  @Post()
  @HttpCode(200)
  async revoke(@Req() request: Request, @Body() sent: unknown) {
    const caller = requestCaller(request);
    const body = revocationBody.parse(sent);
    expectScope(caller, REVOKING_NEEDS[body.what]);
    const tenant = tenantFor(caller, body.tenant);
    const found =
      namedIn(body, tenant) ?? ('token' in body ? await this.ports.tokenShown(tenant, body.token) : undefined);
    if ('client_id' in body) await this.expectAgent(tenant, body);
    if (found === undefined || !(await this.isThere(tenant, found))) {
      throw new ApiProblem(404, 'not_found', `There is no such ${body.what}.`);
    }
    const { what, id } = found;
    // a refresh token that is shown stands for its grant
    expectScope(caller, REVOKING_NEEDS[what]);
    const retryAfterMs = this.ports.waitToRevoke(`${caller.tenant} ${caller.actor}`);
    if (retryAfterMs > 0) throw new Refusal('rate_limited', { retryAfterMs });
    await mayEnd(this.ports, caller, tenant, await this.holderOf(tenant, found));
    const reason = body.reason ?? 'an administrator revoked it';
    await this.ports.revoke(tenant, { ...found, reason, by: caller.actor }, () =>
      record(this.ports, caller, tenant, `${what}.revoked`, id, body.reason),
    );
    return { tenant, what, id };
  }

  /** A client that acts for people only is as many agents as it has people, and none by itself. */
  private async expectAgent(tenant: string, named: { client_id: string; sub?: string | undefined }): Promise<void> {
    const client = await this.ports.clients.byId(tenant, named.client_id);
    if (client === undefined) throw new ApiProblem(404, 'not_found', 'There is no such client.');
    if (named.sub !== undefined || client.grantTypes.includes('client_credentials')) return;
    const says = 'This client acts for people: name one of them as sub, or revoke what all have, as a client.';
    throw new ApiProblem(409, 'conflict', says);
  }

  /** Whose it is. One token is for whoever administers clients to end, whosever it is: it lives an hour at most. */
  private async holderOf(tenant: string, { what, id }: Pick<ToRevoke, 'what' | 'id'>): Promise<Partial<Agent>> {
    const { grants, now } = this.ports;
    if (what === 'client') return { clientId: id };
    if (what === 'user') return { sub: id };
    if (what === 'principal' && id === principalId(tenant, LOCAL_ADMIN)) return { clientId: LOCAL_ADMIN };
    const found = what === 'grant' ? grants.byId(tenant, id, now()) : what === 'principal' && grants.agent(tenant, id);
    return (await found) || {};
  }

  /** A token's id and an agent's are known to whoever they were issued to; nothing is kept of them here. */
  private async isThere(tenant: string, { what, id }: Pick<ToRevoke, 'what' | 'id'>): Promise<boolean> {
    const { clients, users, grants, now } = this.ports;
    if (what === 'client') return (await clients.byId(tenant, id)) !== undefined;
    if (what === 'user') return (await users.byId(tenant, id)) !== undefined;
    if (what === 'grant') return (await grants.byId(tenant, id, now())) !== undefined;
    return true;
  }
}
