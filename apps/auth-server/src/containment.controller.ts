import { Controller, Get, Header, Inject, NotFoundException, Param } from '@nestjs/common';
import type { Signer } from '@portcullis/contract/containment';
import type { JSONWebKeySet } from 'jose';

export type ContainmentKeys = Readonly<Record<Signer, JSONWebKeySet>>;
export const CONTAINMENT_KEYS = Symbol('ContainmentKeys');

/** The public keys of those whose statements contain agents and end tokens, a set for each (RFC 7517 §5). */
@Controller('containment')
export class ContainmentController {
  constructor(@Inject(CONTAINMENT_KEYS) private readonly keys: ContainmentKeys) {}

  @Get(':signer/jwks')
  @Header('Cache-Control', 'public, max-age=60')
  jwks(@Param('signer') signer: string): JSONWebKeySet {
    if (!Object.hasOwn(this.keys, signer)) throw new NotFoundException();
    return this.keys[signer as Signer];
  }
}
