import type { RequestHandler } from 'express';
import { apiHeaders } from './headers.js';

/** Sets the headers on every answer, errors included; a page sets its own over them. */
export const securityHeaders =
  (headers: Readonly<Record<string, string>> = apiHeaders): RequestHandler =>
  (_request, response, next) => {
    response.set(headers);
    next();
  };
