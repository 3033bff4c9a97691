import type { ServerResponse } from 'node:http';
import type { ArrivalStep } from './arrival.js';

const HEADER = 'X-Correlation-Id';

/**
 * Gives every request an id of ours and answers it in X-Correlation-Id; what the caller calls it is not ours.
 * @param newId UUIDv7
 */
export const correlation =
  (newId: () => string): ArrivalStep =>
  (_request, response, next) => {
    response.setHeader(HEADER, newId());
    next();
  };

/** The id of the request that this response answers. */
export const correlationIdOf = (response: ServerResponse): string => String(response.getHeader(HEADER));
