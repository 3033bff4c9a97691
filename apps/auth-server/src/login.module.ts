import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import type { Client } from 'oidc-provider';
import passport from 'passport';
import { Strategy } from 'passport-local';
import { authEvent } from './audit.js';
import { tenantOf } from './client-metadata.js';
import { clientOf, interactionOf } from './form-guard.module.js';
import { INTERACTION_PORTS, type InteractionPorts } from './interaction-ports.js';
import { PageProblem } from './page-problem.js';
import { signIn } from './sign-in.js';
import { usernameOf, type UserRecord } from './users.js';

/** passport keeps strategies by name in one place per process, which several apps and their tests share. */
let strategies = 0;

/**
 * Reads user name and password from the login form. Who they belong to becomes the request's user; a failed login is
 * let through without one, since it is a page with a hint and not an error. Stands behind a FormGuard.
 */
@Injectable()
export class LoginGuard implements CanActivate {
  readonly #name = `portcullis-login-${++strategies}`;
  readonly #guard: CanActivate;

  constructor(@Inject(INTERACTION_PORTS) private readonly ports: InteractionPorts) {
    const attempt = (request: Request, username: string, password: string) => this.attempt(request, username, password);
    class LoginStrategy extends PassportStrategy(Strategy, this.#name) {
      constructor() {
        super({ session: false, passReqToCallback: true });
      }
      validate(request: Request, username: string, password: string): Promise<UserRecord | false> {
        return attempt(request, username, password);
      }
    }
    class OptionalGuard extends AuthGuard(this.#name) {
      override handleRequest<T>(error: unknown, user: T): T {
        if (error) throw error;
        return user;
      }
    }
    new LoginStrategy();
    this.#guard = new OptionalGuard();
  }

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    return this.#guard.canActivate(context);
  }

  onModuleDestroy(): void {
    passport.unuse(this.#name);
  }

  private async attempt(request: Request, username: string, password: string): Promise<UserRecord | false> {
    const { provider, failures, turns, events, addressOf, now } = this.ports;
    const address = addressOf(request);
    const client = await clientOf(provider, interactionOf(request));
    const tenant = tenantOf(client);
    const one = failures.begin(address, `${tenant}/${usernameOf(username).slice(0, 64)}`, now());
    if (typeof one === 'number') {
      await this.throttled(client, address, 'too many failed sign-ins');
      throw new PageProblem(429, `Too many failed sign-ins. Try again in ${inWords(one)}.`);
    }
    const result = await turns(() => signIn(this.ports, tenant, username, password)).catch((error: unknown) => {
      one.notMade();
      throw error;
    });
    if (result === undefined) {
      one.notMade();
      await this.throttled(client, address, 'too many sign-ins at once');
      throw new PageProblem(429, 'Too many people are signing in. Try again in a few seconds.');
    }
    if (result.ok) {
      one.succeeded();
      return result.user;
    }
    const who = { tenant, clientId: client.clientId, sub: result.sub, proven: false };
    const facts = { address: address.slice(0, 64), reason: 'wrong user name or password' };
    await events.append(authEvent('login.failed', who, facts, now()));
    return false;
  }

  private throttled(client: Client, from: string, why: string): Promise<void> {
    const { refused, now } = this.ports;
    const who = { tenant: tenantOf(client), clientId: client.clientId, proven: false };
    const address = from.slice(0, 64);
    return refused(address, (more) => authEvent('login.throttled', who, { address, reason: `${why}${more}` }, now()));
  }
}

function inWords(ms: number): string {
  if (ms > 60_000) return 'a few minutes';
  return ms > 1000 ? `${Math.ceil(ms / 1000)} seconds` : '1 second';
}

/** Who signed in with this form, behind a {@link LoginGuard}. */
export const signedInUser = (request: Request): UserRecord | undefined =>
  ((request as { user?: unknown }).user || undefined) as UserRecord | undefined;
