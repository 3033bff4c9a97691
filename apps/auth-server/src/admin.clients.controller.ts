import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Req,
  UseGuards,
} from '@nestjs/common';
import { base32 } from '@portcullis/contract/ids';
import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import type { Scope } from '@portcullis/scopes/scopes';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import { ApiProblem } from '@portcullis/service/problem';
import type { Request } from 'express';
import {
  clientChangeBody,
  clientView,
  listQuery,
  newClientBody,
  newClientRecord,
  reservedScopes,
  tenantQuery,
} from './admin-clients.js';
import { hasSecret } from './clients.js';
import { ADMIN_PORTS, record, recordReading, tenantFor, type AdminPorts } from './admin-ports.js';
import { clientSecretOf, secretHash } from './client-secret.js';
import { cursorOf, pageOf } from './paging.js';

@Controller('admin/v1/clients')
@UseGuards(bearerGuard('admin:clients'))
export class AdminClientsController {
  constructor(@Inject(ADMIN_PORTS) private readonly ports: AdminPorts) {}

  @Post()
  async add(@Req() request: Request, @Body() sent: unknown) {
    const caller = requestCaller(request);
    const body = newClientBody.parse(sent);
    const tenant = tenantFor(caller, body.tenant);
    mayHandOut(caller, body.scopes);
    const { clients, randomBytes, secretHashKey, now } = this.ports;
    const clientId = `cli_${base32(randomBytes(16))}`;
    const secret = hasSecret(body.auth_method) ? clientSecretOf(randomBytes(32)) : undefined;
    const hash = secret && secretHash(secretHashKey, clientId, secret);
    const client = newClientRecord(body, { tenant, clientId, secretHash: hash, now: now() });
    const added = await clients.add(tenant, client, () =>
      record(this.ports, caller, tenant, 'client.created', clientId),
    );
    if (!added) throw new ApiProblem(409, 'conflict', 'The id that was made is taken. Try again.');
    return { ...clientView(client), ...(secret !== undefined && { client_secret: secret }) };
  }

  @Get()
  async list(@Req() request: Request, @Query() sent: unknown) {
    const caller = requestCaller(request);
    const query = listQuery.parse(sent);
    const tenant = tenantFor(caller, query.tenant);
    await recordReading(this.ports, caller, tenant, 'clients.listed');
    const { items, next } = await this.ports.clients.list(tenant, pageOf(query));
    return { items: items.map(clientView), next_cursor: cursorOf(next) };
  }

  @Get(':client_id')
  async show(@Req() request: Request, @Param('client_id') clientId: string, @Query() sent: unknown) {
    const caller = requestCaller(request);
    const tenant = tenantFor(caller, tenantQuery.parse(sent).tenant);
    await recordReading(this.ports, caller, tenant, 'client.shown', named(clientId));
    return clientView((await this.ports.clients.byId(tenant, named(clientId))) ?? unknownClient());
  }

  @Patch(':client_id')
  async change(
    @Req() request: Request,
    @Param('client_id') clientId: string,
    @Query() sent: unknown,
    @Body() body: unknown,
  ) {
    const caller = requestCaller(request);
    const tenant = tenantFor(caller, tenantQuery.parse(sent).tenant);
    const change = clientChangeBody.parse(body);
    mayHandOut(caller, change.scopes ?? []);
    if (change.jwks) await this.expectKeys(tenant, named(clientId));
    const changed = await this.ports.clients.change(tenant, named(clientId), change, () =>
      record(this.ports, caller, tenant, 'client.changed', clientId),
    );
    return clientView(changed ?? unknownClient());
  }

  @Delete(':client_id')
  @HttpCode(204)
  async remove(@Req() request: Request, @Param('client_id') clientId: string, @Query() sent: unknown): Promise<void> {
    const caller = requestCaller(request);
    const tenant = tenantFor(caller, tenantQuery.parse(sent).tenant);
    const removed = await this.ports.clients.remove(tenant, named(clientId), () =>
      record(this.ports, caller, tenant, 'client.removed', clientId),
    );
    if (!removed) unknownClient();
  }

  /** How a client proves itself never changes, so this needs no lock. */
  private async expectKeys(tenant: string, clientId: string): Promise<void> {
    const client = (await this.ports.clients.byId(tenant, clientId)) ?? unknownClient();
    if (client.authMethod === 'private_key_jwt') return;
    throw new ApiProblem(400, 'input_invalid', 'jwks is for clients that prove themselves by private_key_jwt.');
  }
}

/** Services' and people's scopes in a ceiling are the platform administrator's to give. */
function mayHandOut(caller: Caller, scopes: readonly Scope[]): void {
  const reserved = reservedScopes(scopes);
  if (reserved.length > 0 && !caller.scopes.has('platform:admin')) {
    const hint = `Only the platform's administrator hands out ${reserved.join(' ')}.`;
    throw new Refusal('scope_insufficient', { scopes: ['platform:admin'], hint });
  }
}

/** What SQL cannot look for is nobody's id. */
const named = (clientId: string): string => (/^[\x21-\x7e]{1,255}$/.test(clientId) ? clientId : unknownClient());

function unknownClient(): never {
  throw new ApiProblem(404, 'not_found', 'There is no such client.');
}
