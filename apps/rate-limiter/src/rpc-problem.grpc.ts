import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import type { Log } from '@portcullis/contract/log';
import { problemOf } from '@portcullis/service/problem';

/** The status that a thrown value amounts to: the words of the HTTP API, never a stack or a message of a library. */
export type RpcProblem = (thrown: unknown) => StatusObject;

/** @see google.rpc.Code, whose comments name the HTTP status of each */
const BY_HTTP: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  408: status.DEADLINE_EXCEEDED,
  413: status.RESOURCE_EXHAUSTED,
  429: status.RESOURCE_EXHAUSTED,
  503: status.UNAVAILABLE,
};

/** @param newId UUIDv7: the correlation id, which is in the metadata and in the log */
export const rpcProblems =
  (log: Log, newId: () => string): RpcProblem =>
  (thrown) => {
    const correlationId = newId();
    const answer = problemOf(thrown, { correlationId });
    const { error, error_description: says, issues = [] } = answer.body as Issues & typeof answer.body;
    const code = BY_HTTP[answer.status] ?? status.INTERNAL;
    const about = { correlationId, status: answer.status };
    if (answer.status >= 500) log.error('call failed', { ...about, error: thrown });
    else
      log.debug('call refused', { ...about, refusal: error, detail: (thrown as { detail?: unknown } | null)?.detail });
    const metadata = new Metadata();
    metadata.set('x-correlation-id', correlationId);
    for (const [name, value] of Object.entries(answer.headers)) metadata.set(name, value);
    return { code, details: ascii([`${error}: ${says}`, ...issues].join(' ')), metadata };
  };
interface Issues {
  readonly issues?: readonly string[];
}

/** Some clients read nothing else in a status. */
const ascii = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 1_000);
