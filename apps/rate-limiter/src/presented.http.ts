import { clientAddress } from '@portcullis/guard/forwarding';
import { headerValues } from '@portcullis/guard/header-values';
import type { Range } from '@portcullis/guard/addresses';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Presented } from './asker.js';

/** @param trusted proxies whose X-Forwarded-For counts */
export function presentedBy(request: IncomingMessage, trusted: readonly Range[]): Presented {
  return {
    authorization: headerValues(request, 'authorization'),
    dpop: headerValues(request, 'dpop'),
    method: request.method ?? '',
    target: request.url ?? '',
    address: clientAddress(request, trusted),
    certificate: certificateOf(request.socket),
  };
}

/** Asked once of each connection, since it is read out of the certificate anew each time. */
const certificates = new WeakMap<Socket, string | undefined>();

function certificateOf(socket: Socket): string | undefined {
  const { encrypted, authorized } = socket as Partial<TLSSocket>;
  if (encrypted !== true || authorized !== true) return undefined;
  if (!certificates.has(socket)) {
    const certificate = (socket as TLSSocket).getPeerX509Certificate();
    certificates.set(socket, certificate && (certificate.subjectAltName ?? ''));
  }
  return certificates.get(socket);
}
