import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Range } from '@portcullis/guard/addresses';
import type { Request, Response } from 'express';
import type { AskerOf } from './asker.js';
import { presentedBy } from './presented.http.js';
import { ASKERS } from './tokens.js';

/** By what the routes know who asks, as those past Nest do. */
export interface Askers {
  readonly askerOf: AskerOf;
  readonly trustedProxies: readonly Range[];
}

/** Lets in who may ask about limits (asker.ts). */
@Injectable()
export class AskerGuard implements CanActivate {
  constructor(@Inject(ASKERS) private readonly askers: Askers) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const { askerOf, trustedProxies } = this.askers;
    const { dpopNonce } = await askerOf(presentedBy(http.getRequest<Request>(), trustedProxies));
    if (dpopNonce !== undefined) http.getResponse<Response>().set('DPoP-Nonce', dpopNonce);
    return true;
  }
}
