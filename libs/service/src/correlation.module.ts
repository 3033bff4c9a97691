import type { RequestHandler, Response } from 'express';
import { v7 as uuidv7 } from 'uuid';

/** Gives every request a UUIDv7 of ours and answers it in X-Correlation-Id; what the caller calls it is not ours. */
export const correlation: RequestHandler = (_request, response, next) => {
  response.locals.correlationId = uuidv7();
  response.setHeader('X-Correlation-Id', correlationIdOf(response));
  next();
};

export const correlationIdOf = (response: Response): string => response.locals.correlationId as string;
