import {
  Inject,
  Injectable,
  mixin,
  Module,
  type CanActivate,
  type DynamicModule,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { Refusal } from '@portcullis/contract/refusals';
import type { Authenticated, Credentials } from '@portcullis/guard/credentials';
import type { Caller } from '@portcullis/scopes/caller';
import type { Scope } from '@portcullis/scopes/scopes';
import type { Request } from 'express';
import passport from 'passport';
import { bearerOf, expectInGoodStanding, expectScopes, namingScopes, type BearerChecks } from './bearer.js';

export interface BearerOptions extends BearerChecks {
  /** whom a failed verification counts for */
  addressOf(request: Request): string;
}

const BEARER = Symbol('bearer');
/** passport keeps strategies by name in one place per process, which several apps and their tests share. */
let strategies = 0;

/** `imports: [BearerModule.forRoot({ checks, addressOf, baseUrl, isRevoked })]` once per app, then `@UseGuards(bearerGuard('security:read'))`. */
@Module({})
export class BearerModule {
  static forRoot(options: BearerOptions): DynamicModule {
    return {
      module: BearerModule,
      global: true,
      providers: [{ provide: BEARER, useFactory: () => new Bearer(options) }],
      exports: [BEARER],
    };
  }
}

/**
 * Lets in who sends an access token for this API that has all the scopes, with a proof where it is bound to a key.
 * Refusals: 401 token_missing, token_invalid or dpop_invalid, 403 scope_insufficient or quarantined, each with its challenge
 * (RFC 6750 §3, RFC 9449 §7.1).
 */
export function bearerGuard(...scopes: readonly Scope[]): Type<CanActivate> {
  @Injectable()
  class ScopedBearerGuard implements CanActivate {
    constructor(@Inject(BEARER) private readonly bearer: Bearer) {}

    async canActivate(context: ExecutionContext): Promise<boolean> {
      const caller = await this.bearer.authenticate(context).catch((error: unknown) => {
        throw namingScopes(error, scopes);
      });
      expectScopes(caller, scopes);
      return true;
    }
  }
  return mixin(ScopedBearerGuard);
}

/** Who calls, behind a {@link bearerGuard}. */
export function requestCaller(request: Request): Caller {
  const { user } = request as { user?: unknown };
  if (user === undefined) throw new Refusal('internal', {}, { detail: 'requestCaller on a route without bearerGuard' });
  return user as Caller;
}

/** One app's strategy under its own name, and the passport guard that runs it. */
class Bearer {
  readonly #name = `portcullis-bearer-${++strategies}`;
  readonly #guard: { canActivate(context: ExecutionContext): unknown };
  readonly #options: BearerOptions;

  constructor(options: BearerOptions) {
    registerStrategy(this.#name, options);
    this.#guard = new (AuthGuard(this.#name))();
    this.#options = options;
  }

  async authenticate(context: ExecutionContext): Promise<Caller> {
    await this.#guard.canActivate(context);
    const caller = requestCaller(context.switchToHttp().getRequest<Request>());
    expectInGoodStanding(caller, this.#options);
    return caller;
  }

  onModuleDestroy(): void {
    passport.unuse(this.#name);
  }
}

type Verify = (
  credentials: Omit<Credentials, 'address'> & { readonly request: Request },
  done: (error: unknown, known?: Authenticated | null) => void,
) => void;

/**
 * Hands every Authorization and DPoP header to `validate`; a token in the query or the body is not looked at (RFC 6750 §2.2,
 * 2.3).
 */
class AuthorizationStrategy extends passport.Strategy {
  // no #field: passport runs strategies through Object.create, which has none
  private readonly verify: Verify;

  constructor(verify: Verify) {
    super();
    this.verify = verify;
  }

  override authenticate(request: Request): void {
    const { authorization = [], dpop = [] } = request.headersDistinct;
    this.verify({ authorization, dpop, method: request.method, request }, (error, known) => {
      if (!known) return this.error(error);
      if (known.dpopNonce !== undefined) request.res?.set('DPoP-Nonce', known.dpopNonce);
      this.success(known.caller);
    });
  }
}

function registerStrategy(name: string, options: BearerOptions): void {
  class BearerStrategy extends PassportStrategy(AuthorizationStrategy, name) {
    async validate({ request, ...headers }: Parameters<Verify>[0]): Promise<Authenticated> {
      return bearerOf({ ...headers, address: options.addressOf(request) }, request.originalUrl, options);
    }
  }
  new BearerStrategy();
}
