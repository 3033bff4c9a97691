import {
  Controller,
  Get,
  Inject,
  Module,
  NotFoundException,
  Post,
  Body,
  Req,
  UseGuards,
  type DynamicModule,
} from '@nestjs/common';
import { Refusal } from '@portcullis/contract/refusals';
import type { LogFacts, Log } from '@portcullis/contract/log';
import { memoryCredentialChecks } from '@portcullis/guard/credential-checks.memory';
import type { TokenRules } from '@portcullis/guard/token';
import type { Request } from 'express';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JSONWebKeySet } from 'jose';
import * as z from 'zod';
import { bearerGuard, BearerModule, requestCaller, type BearerOptions } from './bearer.module.js';
import { bind, closeBound, listen, type Bound } from './listener.http.js';
import { newId } from '@portcullis/guard/new-id.memory';
import { createApi, type ApiOptions } from './nest-app.module.js';
import { ApiProblem } from './problem.js';

const NOTE = Symbol('note');
const things = z.strictObject({ name: z.string().max(5), size: z.int() });

@Controller()
class ThingsController {
  constructor(@Inject(NOTE) private readonly note: string) {}

  @Get('things')
  list() {
    return { items: [], note: this.note };
  }

  @Post('things')
  make(@Body() body: unknown) {
    return things.parse(body);
  }

  @Post('raw')
  raw(@Body() body: unknown) {
    return { parsed: body !== undefined };
  }

  @Get('refused')
  refused() {
    throw new Refusal('rate_limited', { retryAfterMs: 1500, limitType: 'requests', remaining: 0 }, { detail: 'inner' });
  }

  @Get('broken')
  broken() {
    throw new Error('the password of the database is hunter2');
  }

  @Get('gone')
  gone() {
    throw new NotFoundException('row 17 of table secrets');
  }

  @Get('taken')
  taken() {
    throw new ApiProblem(409, 'conflict', 'There is a client of that name.');
  }

  @Get('whoami')
  @UseGuards(bearerGuard('security:read'))
  whoami(@Req() request: Request) {
    const { tenant, clientId } = requestCaller(request);
    return { tenant, clientId };
  }

  @Post('whoami')
  @UseGuards(bearerGuard('security:read'))
  posted(@Req() request: Request) {
    return this.whoami(request);
  }

  @Get('unguarded')
  unguarded(@Req() request: Request) {
    return requestCaller(request);
  }
}

@Module({})
class ThingsModule {
  static forRoot(note: string, bearer: BearerOptions): DynamicModule {
    return {
      module: ThingsModule,
      imports: [BearerModule.forRoot(bearer)],
      controllers: [ThingsController],
      providers: [{ provide: NOTE, useValue: note }],
    };
  }
}

/** Keeps what was logged, to look for what must not be there. */
export function recordingLog(): Log & { readonly lines: { level: string; message: string; facts: LogFacts }[] } {
  const lines: { level: string; message: string; facts: LogFacts }[] = [];
  const at =
    (level: string) =>
    (message: string, facts: LogFacts = {}) =>
      void lines.push({ level, message, facts });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** An app on a free loopback port. */
export async function startThings(
  { rules, ...bearer }: { readonly rules: TokenRules } & Partial<BearerOptions>,
  options: Partial<ApiOptions> = {},
): Promise<{
  bound: Bound;
  log: ReturnType<typeof recordingLog>;
  close(): Promise<void>;
}> {
  const log = recordingLog();
  const bound = await bind('127.0.0.1', 0);
  const guarded = {
    isRevoked: () => false,
    checks: memoryCredentialChecks(rules),
    baseUrl: bound.url,
    addressOf: () => '192.0.2.1',
    ...bearer,
  };
  const app = await createApi(ThingsModule.forRoot(`for ${rules.audience}`, guarded), {
    log,
    newId,
    ...options,
  });
  listen(bound, app.listener);
  return {
    bound,
    log,
    close: async () => {
      await closeBound(bound);
      await app.close();
    },
  };
}

export interface TestIssuer {
  readonly jwks: JSONWebKeySet;
  readonly privateKey: CryptoKey;
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export const ISSUER = 'https://auth.example';
export const AUDIENCE = 'https://analytics.example/v1';

/** An issuer whose tokens are good unless the claims say otherwise. */
export async function testIssuer(kid = 'k1'): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const now = Math.floor(Date.now() / 1000);
  return {
    privateKey,
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }] },
    token: (claims = {}, header = {}) =>
      new SignJWT({
        iss: ISSUER,
        aud: AUDIENCE,
        sub: 'client-1',
        client_id: 'client-1',
        jti: 'j1',
        iat: now,
        exp: now + 600,
        scope: 'security:read',
        tenant: 'default',
        ceiling: 'security:read',
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, ...header })
        .sign(privateKey),
  };
}
