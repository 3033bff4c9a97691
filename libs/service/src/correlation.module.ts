import type { RequestHandler, Response } from 'express';
import { newId } from './new-id.memory.js';

/** Gives every request a UUIDv7 of ours and answers it in X-Correlation-Id; what the caller calls it is not ours. */
export const correlation: RequestHandler = (_request, response, next) => {
  response.locals.correlationId = newId();
  response.setHeader('X-Correlation-Id', correlationIdOf(response));
  next();
};

export const correlationIdOf = (response: Response): string => response.locals.correlationId as string;
