import { parseArgs } from 'node:util';
import { LOG_LEVELS, type LogLevel } from '@portcullis/service/log';

/** What `npm start -- …` was asked to do. */
export interface Options {
  /** where keys, database, spool and demo accounts lie; undefined = a throw-away folder, removed on stop */
  readonly data: string | undefined;
  /** first of the ports; 0 = free ports */
  readonly portBase: number;
  readonly readyFile: string | undefined;
  readonly demo: boolean;
  readonly logLevel: LogLevel;
}

export const HELP = `Usage: npm start -- [options]

Runs the whole platform in one process on embedded parts, in the foreground. Ctrl-C stops it.

  --data DIR         where keys, database and spool lie   (default .portcullis)
  --ephemeral        keep nothing: memory database, throw-away folder
  --port-base N      first port: auth-server N, mcp-server N+1, rate-limiter N+2,
                     security-analytics N+4, management ports 100 higher
                     (default 4400; 0 = free ports)
  --ready-file FILE  written (0600) when every service is ready, removed on a clean stop
  --no-demo          no demo clients, users and customers
  --log-level LEVEL  ${LOG_LEVELS.join(', ')} (default warn)
  --help             this text
`;

/** Wrong use of the command line; the message says what to change. */
export class WrongUse extends Error {}

/** @throws WrongUse naming the option and what it takes */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const given = parsed(args);
  if (given.help) return 'help';
  if (given.ephemeral && given.data !== undefined) throw new WrongUse('--ephemeral keeps no data: leave out --data.');
  const portBase = Number(given['port-base']);
  if (!Number.isInteger(portBase) || portBase < 0 || (portBase > 0 && portBase < 1024) || portBase > 65_000) {
    throw new WrongUse(`--port-base takes 0 or a number from 1024 to 65000, not '${given['port-base']}'.`);
  }
  const logLevel = LOG_LEVELS.find((level) => level === given['log-level']);
  if (logLevel === undefined) {
    throw new WrongUse(`--log-level takes one of ${LOG_LEVELS.join(', ')}, not '${given['log-level']}'.`);
  }
  return {
    data: given.ephemeral ? undefined : (given.data ?? '.portcullis'),
    portBase,
    readyFile: given['ready-file'],
    demo: !given['no-demo'],
    logLevel,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        data: { type: 'string' },
        ephemeral: { type: 'boolean', default: false },
        'port-base': { type: 'string', default: '4400' },
        'ready-file': { type: 'string' },
        'no-demo': { type: 'boolean', default: false },
        'log-level': { type: 'string', default: 'warn' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new WrongUse(`${(error as Error).message.split('. ')[0]}. See npm start -- --help.`, { cause: error });
  }
}
