import { Body, Controller, Get, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import type { Request } from 'express';
import { keyList, notRotated, rotationBody } from './admin-keys.js';
import { ADMIN_PORTS, tenantFor, type AdminPorts } from './admin-ports.js';

@Controller('admin/v1/keys')
@UseGuards(bearerGuard('admin:keys'))
export class AdminKeysController {
  constructor(@Inject(ADMIN_PORTS) private readonly ports: AdminPorts) {}

  @Get()
  async list() {
    return keyList(await this.ports.keys.list());
  }

  /** The keys sign for all tenants, so they are the issuer's own tenant's to rotate, or the platform administrator's. */
  @Post('rotate')
  @HttpCode(200)
  async rotate(@Req() request: Request, @Body() sent: unknown) {
    const caller = requestCaller(request);
    tenantFor(caller, DEFAULT_TENANT);
    const { alg, now: early } = rotationBody.parse(sent ?? {});
    const outcome = await this.ports.rotateKeys({ alg, early, actor: caller.actor });
    if (!outcome.done) throw notRotated(outcome, early, this.ports.now());
    return keyList(outcome.keys);
  }
}
