import type { Log, LogFacts } from '@portcullis/contract/log';
import { pino, type DestinationStream } from 'pino';
import { HIDDEN_PATHS, type LogLevel } from './log.js';

/** JSON lines on stderr (stdout belongs to the banner and to what tools print), with secrets taken out. */
export function createLog(service: string, level: LogLevel, to: DestinationStream = pino.destination(2)): Log {
  const logger = pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: plainError, err: plainError },
      redact: { paths: HIDDEN_PATHS, censor: '[secret]' },
    },
    to,
  );
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, facts?: LogFacts): void =>
      logger[name](facts ?? {}, message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** An error without its own fields: a database's error carries the statement, its parameters and the values of rows. */
function plainError(error: unknown): unknown {
  const serialized = pino.stdSerializers.err(error as Error) as unknown;
  if (typeof serialized !== 'object' || serialized === null) return serialized;
  const { type, message, code, stack } = serialized as Record<string, unknown>;
  return { type, message, code, stack };
}
