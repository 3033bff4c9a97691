import { jsonOf, type Ask } from './ask.js';
import type { Published } from './discovery.js';
import type { Place } from './place.js';

/** One thing that must be so for the gate to work. */
export interface Check {
  readonly name: string;
  /** what to do when it is not so */
  readonly todo: string;
  /** resolves to what was seen, throws what is wrong; undefined = this cannot be seen from here */
  readonly probe: (() => Promise<string>) | undefined;
}
export interface Finding {
  readonly check: string;
  /** null: not checked */
  readonly ok: boolean | null;
  readonly seen: string;
  /** present when not ok */
  readonly todo?: string;
}

export async function findingOf({ name, todo, probe }: Check): Promise<Finding> {
  if (probe === undefined) return { check: name, ok: null, seen: 'not checked', todo };
  try {
    return { check: name, ok: true, seen: await probe() };
  } catch (error) {
    return { check: name, ok: false, seen: error instanceof Error ? error.message : String(error), todo };
  }
}

/** What to do, each thing once, with the checks it is for. */
export function todosOf(findings: readonly Finding[]): string[] {
  const todos = [...new Set(findings.flatMap(({ todo }) => todo ?? []))];
  const checksFor = (wanted: string) => findings.filter(({ todo }) => todo === wanted).map(({ check }) => check);
  return todos.map((todo) => `${checksFor(todo).join(', ')}: ${todo}`);
}

const FROM_HERE = 'Only the ready file says where this is: name it with --ready-file or --data.';
const RESTART = "Look at the gate's own output, and start it again with 'npm start'.";

/** @param logIn gets a token as the local administrator, and resolves to what that proved */
export function checksOf(
  place: Place,
  published: () => Promise<Published>,
  logIn: () => Promise<string>,
  ask: Ask,
): Check[] {
  const { ready } = place;
  const services = {
    'auth-server': [ready?.authServer, ready?.management.authServer],
    'mcp-server': [place.url, ready?.management.mcpServer],
    'rate-limiter': [ready?.rateLimiter, ready?.management.rateLimiter],
    'security-analytics': [ready?.analytics, ready?.management.analytics],
  } as const;
  return [
    ...Object.entries(services).map(([service, [base]]) => health(`${service} healthz`, base, '/healthz', ask)),
    ...Object.entries(services).map(([service, [, base]]) => health(`${service} readyz`, base, '/readyz', ask)),
    {
      name: 'metadata',
      todo: 'AUTH_ISSUER and MCP_RESOURCE must be the URLs under which clients reach the two servers.',
      probe: async () => `issuer ${(await published()).issuer}`,
    },
    {
      name: 'keys',
      todo: "The gate's signing keys are not served as they must be. " + RESTART,
      probe: async () => publicKeys(await ask((await published()).jwksUri)),
    },
    {
      name: 'admin login',
      todo:
        ready === undefined
          ? "This gate's key is not known here: run doctor on the gate's machine, without --url."
          : 'Run portcullis as the user who started the gate; the sentence before says what else to change.',
      probe: ready === undefined ? undefined : logIn,
    },
  ];
}

function health(name: string, base: string | undefined, path: string, ask: Ask): Check {
  if (base === undefined) return { name, todo: FROM_HERE, probe: undefined };
  const probe = async () => {
    const { status, text } = await ask(`${base.replace(/\/$/, '')}${path}`);
    if (status !== 200) throw new Error(`HTTP ${status} ${text.slice(0, 200)}`);
    return `HTTP ${status}`;
  };
  return { name, todo: RESTART, probe };
}

/** A JWK set with at least one ES256 key and nothing private (RFC 7517 §5). */
function publicKeys(reply: { status: number; text: string }): string {
  const { keys } = (jsonOf(reply) ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys) || reply.status !== 200) throw new Error(`HTTP ${reply.status}, and no key set`);
  const jwks = keys as Record<string, unknown>[];
  if (jwks.some((key) => 'd' in key || 'k' in key)) throw new Error('a private key is published');
  const kids = jwks.filter((key) => key.kty === 'EC' && key.crv === 'P-256').map((key) => String(key.kid));
  if (kids.length === 0) throw new Error('no ES256 key');
  return kids.join(' ');
}
