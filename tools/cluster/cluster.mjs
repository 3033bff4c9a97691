// `npm run cluster`: two processes of each service on Redis, Kafka and Postgres in containers, for checks from outside.
import { parseArgs } from 'node:util';
import { whyNoContainers } from '../test/engine.mjs';
import { startCluster } from './start.mjs';

const USAGE = `npm run cluster -- [--ready-file FILE] [--replicas N] [--port-base N]

Starts Redis, Kafka and Postgres in containers, and two processes (--replicas) of each service on them. One address for
each service (ports from --port-base on, default 4400; 0 = free ones) passes connections on to its processes in turn. A
process that ends is started again. --ready-file is written when all of it is ready; besides what that of npm start holds it
names the processes and the containers. Ctrl-C or SIGTERM stops all of it; nothing is kept.`;

const { values } = asked();
if (values.help) {
  console.log(USAGE);
} else {
  const replicas = counted('replicas', values.replicas, 1, 8);
  const base = counted('port-base', values['port-base'], 0, 65_000);
  const why = await whyNoContainers();
  if (why) fail(`No cluster can be started here: ${why}`, 1);
  /** @type {Promise<{ dir: string, stop(): Promise<void> }>} */
  const starting = startCluster({ replicas, base, readyFile: values['ready-file'], say });
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void starting.then(({ stop }) => stop()).then(() => process.exit(0)));
  await starting.then(
    ({ dir }) => say(`ready; logs in ${dir}/log`),
    (error) => fail(error.message, 1),
  );
}

function asked() {
  try {
    return parseArgs({
      options: {
        'ready-file': { type: 'string' },
        replicas: { type: 'string', default: '2' },
        'port-base': { type: 'string', default: '4400' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return fail(`${error.message}\n\n${USAGE}`, 2);
  }
}

function counted(option, text, least, most) {
  const count = Number(text);
  if (!Number.isInteger(count) || count < least || count > most)
    fail(`--${option} takes a whole number from ${least} to ${most}\n\n${USAGE}`, 2);
  return count;
}

function say(what) {
  console.error(`cluster: ${what}`);
}

function fail(says, code) {
  console.error(says);
  process.exit(code);
}
