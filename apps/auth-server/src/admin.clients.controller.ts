import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { base32 } from '@portcullis/contract/ids';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import { ApiProblem } from '@portcullis/service/problem';
import type { Request, Response } from 'express';
import {
  clientChangeBody,
  clientView,
  listQuery,
  newClientBody,
  newClientRecord,
  secretRotationBody,
} from './admin-clients.js';
import { asked } from './admin-request.module.js';
import { allTenantsProblem, budgetProblem, hasSecret, type ClientChange, type ClientRecord } from './clients.js';
import { ADMIN_PORTS, asExpected, record, recordReading, tagged, tenantFor, type AdminPorts } from './admin-ports.js';
import { clientChangeReason, newClientReason, secretReason } from './admin-reasons.js';
import { mayChangeClient, mayGiveAllTenants, mayHandOut } from './admin-rights.js';
import { clientSecretOf, secretHash } from './client-secret.js';
import { cursorOf, pageOf } from './paging.js';
import { expectedVersions } from './versions.js';

@Controller('admin/v1/clients')
@UseGuards(bearerGuard('admin:clients'))
export class AdminClientsController {
  constructor(@Inject(ADMIN_PORTS) private readonly ports: AdminPorts) {}

  @Post()
  async add(@Req() request: Request, @Res({ passthrough: true }) response: Response, @Body() sent: unknown) {
    const caller = requestCaller(request);
    const body = newClientBody.parse(sent);
    const tenant = tenantFor(caller, body.tenant);
    mayHandOut(caller, body.scopes);
    mayGiveAllTenants(caller, body.all_tenants);
    this.expectJwksUri(body.jwks_uri);
    const { clients, randomBytes, secretHashKey, now } = this.ports;
    const clientId = `cli_${base32(randomBytes(16))}`;
    const secret = hasSecret(body.auth_method) ? clientSecretOf(randomBytes(32)) : undefined;
    const hash = secret && secretHash(secretHashKey, clientId, secret);
    const client = newClientRecord(body, { tenant, clientId, secretHash: hash, now: now() });
    const added = await clients.add(tenant, client, () =>
      record(this.ports, caller, tenant, 'client.created', clientId, newClientReason(body)),
    );
    if (!added) throw new ApiProblem(409, 'conflict', 'The id that was made is taken. Try again.');
    return { ...clientView(tagged(response, client)), ...(secret !== undefined && { client_secret: secret }) };
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
  async show(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Param('client_id') clientId: string,
    @Query() sent: unknown,
  ) {
    const { caller, tenant } = asked(request, sent);
    await recordReading(this.ports, caller, tenant, 'client.shown', named(clientId));
    return clientView(tagged(response, (await this.ports.clients.byId(tenant, clientId)) ?? unknownClient()));
  }

  @Patch(':client_id')
  async change(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Param('client_id') clientId: string,
    @Query() sent: unknown,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: unknown,
  ) {
    const { caller, tenant } = asked(request, sent);
    const change = clientChangeBody.parse(body);
    mayHandOut(caller, change.scopes ?? []);
    mayGiveAllTenants(caller, change.allTenants);
    this.expectJwksUri(change.jwksUri);
    if (change.jwks ?? change.jwksUri) await this.expectKeys(tenant, named(clientId));
    const confirm = async (before: ClientRecord): Promise<void> => {
      mayChangeClient(caller, before);
      expectReachable(before, change);
      expectAService(before, change);
      await record(this.ports, caller, tenant, 'client.changed', clientId, clientChangeReason(change));
    };
    const changed = await asExpected(
      this.ports.clients.change(tenant, named(clientId), change, confirm, expectedVersions(ifMatch)),
    );
    if (change.disabled || change.scopes || change.allTenants === false) await this.ports.announceRevocations();
    return clientView(tagged(response, changed ?? unknownClient()));
  }

  @Post(':client_id/secret')
  @HttpCode(200)
  async rotate(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Param('client_id') clientId: string,
    @Query() sent: unknown,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: unknown,
  ) {
    const { caller, tenant } = asked(request, sent);
    const { overlap_seconds: overlap } = secretRotationBody.parse(body ?? {});
    await this.expectSecret(tenant, named(clientId));
    const { clients, randomBytes, secretHashKey, now } = this.ports;
    const secret = clientSecretOf(randomBytes(32));
    const to = {
      hash: secretHash(secretHashKey, clientId, secret),
      previousUntil: overlap === 0 ? undefined : now() + overlap * 1000,
    };
    const confirm = async (before: ClientRecord): Promise<void> => {
      mayChangeClient(caller, before);
      await record(this.ports, caller, tenant, 'client.secret_rotated', clientId, secretReason(overlap));
    };
    const changed = await asExpected(clients.rotateSecret(tenant, clientId, to, confirm, expectedVersions(ifMatch)));
    return { ...clientView(tagged(response, changed ?? unknownClient())), client_secret: secret };
  }

  @Delete(':client_id')
  @HttpCode(204)
  async remove(
    @Req() request: Request,
    @Param('client_id') clientId: string,
    @Query() sent: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    const { caller, tenant } = asked(request, sent);
    const confirm = async (before: ClientRecord): Promise<void> => {
      mayChangeClient(caller, before);
      await record(this.ports, caller, tenant, 'client.removed', clientId);
    };
    const removed = await asExpected(
      this.ports.clients.remove(tenant, named(clientId), confirm, expectedVersions(ifMatch)),
    );
    if (!removed) unknownClient();
    await this.ports.announceRevocations();
  }

  private expectJwksUri(uri: string | undefined): void {
    const problem = uri === undefined ? undefined : this.ports.jwksUriProblem(uri);
    if (problem !== undefined) throw new ApiProblem(400, 'input_invalid', `jwks_uri ${problem}.`);
  }

  /** How a client proves itself never changes, so this needs no lock. */
  private async expectKeys(tenant: string, clientId: string): Promise<void> {
    const client = (await this.ports.clients.byId(tenant, clientId)) ?? unknownClient();
    if (client.authMethod === 'private_key_jwt') return;
    throw new ApiProblem(400, 'input_invalid', 'jwks is for clients that prove themselves by private_key_jwt.');
  }

  private async expectSecret(tenant: string, clientId: string): Promise<void> {
    const client = (await this.ports.clients.byId(tenant, clientId)) ?? unknownClient();
    if (hasSecret(client.authMethod)) return;
    throw new ApiProblem(400, 'input_invalid', 'This client has no secret. Keys are changed by PATCH, as jwks.');
  }
}

/** Asked with the row that is changed, since each budget may be there already. */
function expectReachable(before: ClientRecord, change: ClientChange): void {
  if (change.customersPerTask === undefined && change.customersPerHour === undefined) return;
  const problem = budgetProblem({ ...before, ...change });
  if (problem !== undefined) throw new ApiProblem(400, 'input_invalid', `${problem}.`);
}

/** Asked with the row that is changed, since either may be there already: all tenants, or the scopes. */
function expectAService(before: ClientRecord, change: ClientChange): void {
  if (change.allTenants === undefined && change.scopes === undefined) return;
  const problem = allTenantsProblem({ ...before, ...change });
  if (problem !== undefined) throw new ApiProblem(400, 'input_invalid', `${problem}.`);
}

/** What SQL cannot look for is nobody's id. */
const named = (clientId: string): string => (/^[\x21-\x7e]{1,255}$/.test(clientId) ? clientId : unknownClient());

function unknownClient(): never {
  throw new ApiProblem(404, 'not_found', 'There is no such client.');
}
