import { Controller, Delete, HttpCode, Inject, Param, Put, Req, UseGuards } from '@nestjs/common';
import type { EventLog } from '@portcullis/bus/outbox';
import { isDrillTenant, isTenant } from '@portcullis/contract/ids';
import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import type { Request } from 'express';

export const DRILLS = Symbol('drills');

/** Demo rows of tenants that exist for one run. */
export interface Drills {
  readonly events: EventLog;
  /** @returns false when the tenant has its rows already */
  seed(tenant: string): Promise<boolean>;
  remove(tenant: string): Promise<number>;
  /** ms since epoch */
  now(): number;
}

/** `/admin/v1/drills/:tenant`, for platform:admin. Only tenants named `drill-…` can be touched. */
@Controller('admin/v1/drills')
@UseGuards(bearerGuard('platform:admin'))
export class DrillsController {
  constructor(@Inject(DRILLS) private readonly drills: Drills) {}

  @Put(':tenant')
  async seed(@Param('tenant') tenant: string, @Req() request: Request): Promise<{ tenant: string; seeded: boolean }> {
    checkDrill(tenant);
    await this.audit('drill.seeded', tenant, requestCaller(request));
    return { tenant, seeded: await this.drills.seed(tenant) };
  }

  @Delete(':tenant')
  @HttpCode(200)
  async remove(
    @Param('tenant') tenant: string,
    @Req() request: Request,
  ): Promise<{ tenant: string; customers: number }> {
    checkDrill(tenant);
    await this.audit('drill.removed', tenant, requestCaller(request));
    return { tenant, customers: await this.drills.remove(tenant) };
  }

  private async audit(action: string, tenant: string, caller: Caller): Promise<void> {
    const at = this.drills.now();
    await this.drills.events.append({
      type: 'portcullis.admin.v1',
      tenant,
      at,
      data: { action, actor: caller.actor, target: tenant },
    });
  }
}

function checkDrill(tenant: string): void {
  if (!isTenant(tenant) || !isDrillTenant(tenant)) {
    throw new Refusal('input_invalid', { issues: ['tenant: must be a name that begins with drill-'] });
  }
}
