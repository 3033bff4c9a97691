import { ServerInterceptingCall, status, type Metadata, type ServerInterceptor } from '@grpc/grpc-js';
import type { Range } from '@portcullis/guard/addresses';
import { arrivedOverHttps, clientAddress, type Arrived } from '@portcullis/guard/forwarding';
import { Refusal } from '@portcullis/contract/refusals';
import { ApiProblem } from '@portcullis/service/problem';
import type { AskerOf, Known, Presented } from './asker.js';
import type { RpcProblem } from './rpc-problem.grpc.js';

/** How calls reach the port, by its settings. */
export interface RpcArrivals {
  /** the port serves TLS */
  readonly secure: boolean;
  readonly forceHttps: boolean;
  readonly trustedProxies: readonly Range[];
  readonly askerOf: AskerOf;
  /** ms that the message of a call may take to arrive */
  readonly messageMs: number;
  /** calls under way at a time */
  readonly mostCalls: number;
  /** hears the status code of each call */
  observe(code: number): void;
}

type Call = ConstructorParameters<typeof ServerInterceptingCall>[0];
/** What is asked of who calls by a name of the kit's own path. */
const TARGET = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';

/**
 * The first door of every call: https and who asks, from the headers alone. Nothing of a message is read before, and a message
 * that does not come is not waited for. Counts calls under way.
 * @param knownBy takes down who asked, by the metadata that the handler gets
 */
export function admission(
  arrivals: RpcArrivals,
  knownBy: WeakMap<Metadata, Known>,
  problemOf: RpcProblem,
): ServerInterceptor {
  const { askerOf, forceHttps, messageMs, mostCalls, observe } = arrivals;
  let underWay = 0;
  return (_method, call) => {
    let timer: NodeJS.Timeout | undefined;
    let counted = false;
    const over = (): void => {
      clearTimeout(timer);
      if (counted) underWay -= 1;
      counted = false;
    };
    const refuse = (error: unknown): void => {
      over();
      const problem = problemOf(error);
      observe(problem.code);
      call.sendStatus(problem);
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            if (underWay >= mostCalls) return refuse(new Refusal('overloaded', { retryAfterMs: 1_000 }));
            underWay += 1;
            counted = true;
            timer = setTimeout(() => refuse(TOO_SLOW), messageMs);
            const admitted = (known: Known): void => {
              // meanwhile it took too long, or whoever asked has gone
              if (!counted) return;
              knownBy.set(metadata, known);
              pass(metadata);
            };
            try {
              const arrived = arrivedAs(call, metadata, arrivals);
              if (forceHttps && !arrivedOverHttps(arrived, arrivals.trustedProxies)) throw NOT_HTTPS;
              const who = askerOf(presentedIn(call, metadata, arrived, arrivals));
              if (who instanceof Promise) who.then(admitted).catch(refuse);
              else admitted(who);
            } catch (error) {
              refuse(error);
            }
          },
          onReceiveMessage(message, pass) {
            clearTimeout(timer);
            pass(message);
          },
          onCancel: over,
        }),
      sendStatus(given, next) {
        over();
        observe(given.code ?? status.UNKNOWN);
        next(given);
      },
    });
  };
}

const NOT_HTTPS = new ApiProblem(403, 'https_required', 'This service answers over https only.');
const TOO_SLOW = new ApiProblem(408, 'request_timeout', 'The message did not arrive in time.');

const words = (metadata: Metadata, name: string): string[] => metadata.get(name).map(String);

/** As requests over HTTP say where they are from. */
function arrivedAs(call: Call, metadata: Metadata, { secure }: RpcArrivals): Arrived {
  const remoteAddress = call.getPeer().replace(/:\d+$/, '');
  const headers = {
    'x-forwarded-for': words(metadata, 'x-forwarded-for'),
    'x-forwarded-proto': words(metadata, 'x-forwarded-proto'),
  };
  return { socket: { remoteAddress, encrypted: secure }, headers };
}

function presentedIn(call: Call, metadata: Metadata, arrived: Arrived, { trustedProxies }: RpcArrivals): Presented {
  const authorization = words(metadata, 'authorization');
  return {
    authorization,
    dpop: words(metadata, 'dpop'),
    method: 'POST',
    target: TARGET,
    address: clientAddress(arrived, trustedProxies),
    // read anew each time, so only where it is asked for
    certificate: authorization.length === 0 ? certificateOf(call) : undefined,
  };
}

function certificateOf(call: Call): string | undefined {
  const certificate = call.getAuthContext().sslPeerCertificate;
  return certificate && (certificate.subjectaltname ?? '');
}
