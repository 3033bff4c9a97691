import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { bearerGuard } from '@portcullis/service/bearer.module';
import { ADMIN_PORTS, type AdminPorts } from './admin-ports.js';

@Controller('admin/v1/keys')
@UseGuards(bearerGuard('admin:keys'))
export class AdminKeysController {
  constructor(@Inject(ADMIN_PORTS) private readonly ports: AdminPorts) {}

  /** The issuer's signing keys are few, so this list has one page. */
  @Get()
  async list() {
    const items = (await this.ports.keys.list()).map(({ kid, alg, state, notBefore, notAfter }) => ({
      kid,
      alg,
      state,
      notBefore: new Date(notBefore).toISOString(),
      notAfter: notAfter === undefined ? null : new Date(notAfter).toISOString(),
    }));
    return { items, next_cursor: null };
  }
}
