import { Controller, Delete, Get, HttpCode, Inject, Param, Query, Req, UseGuards } from '@nestjs/common';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import { ApiProblem } from '@portcullis/service/problem';
import type { Request } from 'express';
import { listQuery } from './admin-clients.js';
import { asked } from './admin-request.module.js';
import { ADMIN_PORTS, mayEnd, record, recordReading, tenantFor, type AdminPorts } from './admin-ports.js';
import { grantFilter } from './admin-revocations.js';
import { grantView } from './grants.js';
import { cursorOf, pageOf } from './paging.js';

const grantsQuery = listQuery.extend(grantFilter);

@Controller('admin/v1/grants')
@UseGuards(bearerGuard('admin:users'))
export class AdminGrantsController {
  constructor(@Inject(ADMIN_PORTS) private readonly ports: AdminPorts) {}

  @Get()
  async list(@Req() request: Request, @Query() sent: unknown) {
    const caller = requestCaller(request);
    const query = grantsQuery.parse(sent);
    const tenant = tenantFor(caller, query.tenant);
    await recordReading(this.ports, caller, tenant, 'grants.listed');
    const filter = { clientId: query.client_id, sub: query.sub };
    const { items, next } = await this.ports.grants.list(tenant, filter, pageOf(query), this.ports.now());
    return { items: items.map(grantView), next_cursor: cursorOf(next) };
  }

  /** Ends it with every token that came of it. */
  @Delete(':grant_id')
  @HttpCode(204)
  async remove(@Req() request: Request, @Param('grant_id') grantId: string, @Query() sent: unknown): Promise<void> {
    const { caller, tenant } = asked(request, sent);
    const grant = /^[\x21-\x7e]{1,255}$/.test(grantId)
      ? await this.ports.grants.byId(tenant, grantId, this.ports.now())
      : undefined;
    if (grant === undefined) throw new ApiProblem(404, 'not_found', 'There is no such grant.');
    await mayEnd(this.ports, caller, tenant, { sub: grant.sub });
    const what = { what: 'grant', id: grantId, reason: 'an administrator revoked it', by: caller.actor } as const;
    await this.ports.revoke(tenant, what, () => record(this.ports, caller, tenant, 'grant.revoked', grantId));
  }
}
