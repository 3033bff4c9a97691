import { credentials, Metadata, status, type ChannelCredentials, type Client, type ServiceError } from '@grpc/grpc-js';
import { rateLimitService } from './rate-limit.grpc.js';

/** A descriptor as a client writes it. */
export interface Sent {
  readonly entries: readonly { readonly key: string; readonly value: string }[];
  readonly limit?: object;
  readonly hitsAddend?: { readonly value: number };
}
/** A client's request, as far as it fills it in. */
export interface SentRequest {
  readonly domain?: string;
  readonly descriptors?: readonly Sent[];
  readonly hitsAddend?: number;
}

/** Entries in the order of the object's keys; a list is a key that comes again. */
export const descriptor = (entries: Readonly<Record<string, string | readonly string[]>>): Sent => ({
  entries: Object.entries(entries).flatMap(([key, value]) =>
    [value].flat().map((each) => ({ key, value: String(each) })),
  ),
});

/** What came back: an answer, or a status that is not OK. */
export interface Answered {
  readonly reply?: any;
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** A client as any other program is one: made of the published definition alone. */
export function rpcClient(address: string, by: ChannelCredentials = credentials.createInsecure()) {
  const loaded: any = rateLimitService();
  const Service: new (at: string, how: ChannelCredentials) => Client & { ShouldRateLimit: any } =
    loaded.envoy.service.ratelimit.v3.RateLimitService;
  const client = new Service(address, by);
  return {
    client,
    ask: (request: SentRequest, headers: Readonly<Record<string, string>> = {}): Promise<Answered> => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.add(name, value);
      const deadline = Date.now() + 20_000;
      return new Promise((resolve) =>
        client.ShouldRateLimit(request, metadata, { deadline }, (error: ServiceError | null, reply: unknown) =>
          resolve(
            error
              ? { code: error.code, details: error.details, metadata: error.metadata }
              : { reply, code: status.OK, details: '', metadata: new Metadata() },
          ),
        ),
      );
    },
    close: () => client.close(),
  };
}
export type RpcClient = ReturnType<typeof rpcClient>;
