// `npm run bench`: measures, and holds each figure to its bar; `-- NAME` one of them. `--json FILE` writes the figures too.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const BENCHES = {
  tokens: 'client-credentials tokens a second, beside a bare oidc-provider in the same run',
  outbox: 'CPU time of keeping one audit event, beside the least that must be done for it in the same run',
  limits:
    'decisions a second of the limiter on Redis: in process, over HTTP, over gRPC; beside bare ones in the same run',
  calls: 'CPU time of one tools/call, beside other MCP servers with the same tool and the same tokens in the same run',
  standing: 'ms from a change of standing to the calls of four other processes, through Kafka',
  events:
    'audit events a second from an outbox through Kafka to their handler, beside the client alone in the same run',
  scale: 'CPU time of one tools/call with 1, 2 and 4 replicas on one Redis, and with 10 to 10,000 agents',
  bus: 'events a second through the bus on Kafka, beside the bare clients in the same run',
};

/** What all processes of a platform share, in one command. */
const BACKBONE = ['limits', 'events', 'standing', 'scale'];
const NAMES = { ...BENCHES, backbone: `${BACKBONE.join(', ')}: what processes share on real engines` };
/** They start a Redis or a Kafka in containers. */
const ONLY_BY_NAME = [...BACKBONE, 'bus'];

const USAGE = `npm run bench -- [NAME] [--json FILE] [--rounds N] [--seconds N]
npm run bench -- calls [--only SERVER,…] [--cpu-prof DIR]

${Object.entries(NAMES)
  .map(([name, says]) => `  ${name.padEnd(10)}${says}`)
  .join('\n')}

Without a name each is run, but for ${ONLY_BY_NAME.join(', ')}, which need a container engine:
where none answers they are skipped, and with REQUIRE_ALL=1 fail. Rounds are interleaved, so that what else the machine does
hits all alike; within a round of calls and scale each case takes turns of a second, --seconds of them where a bar hangs on
it. tokens holds each server to its best round; outbox, calls, limits, events and scale hold the middle of the rounds'
ratios, and are undecided when the rounds spread wider than the distance to the bar.
The load of calls is made by wrk where that is installed: made on Node it takes from the fastest servers what it measures.
Exit 0: every bar is met. Exit 1: one is missed or undecided. Exit 2: wrong use.`;

const { values, positionals } = given();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const [name, ...more] = positionals;
if (more.length > 0 || (name !== undefined && !Object.hasOwn(NAMES, name)))
  wrongUse(`name one of: ${Object.keys(NAMES).join(', ')}`);
const only = values.only?.split(',');
if (only !== undefined && name !== 'calls') wrongUse('--only belongs to calls');
const options = {
  rounds: counted('rounds', values.rounds),
  seconds: counted('seconds', values.seconds),
  only,
  profile: values['cpu-prof'],
};
const results = [];
const all = Object.keys(BENCHES).filter((each) => !ONLY_BY_NAME.includes(each));
const asked = name === undefined ? all : name === 'backbone' ? BACKBONE : [name];
for (const each of asked) {
  const { run, choices = [] } = await import(`./${each}.mjs`);
  for (const one of only ?? []) if (!choices.includes(one)) wrongUse(`--only takes some of: ${choices.join(',')}`);
  if (asked.length > 1) console.log(`${each}: ${BENCHES[each]}`);
  results.push(await run(options));
}
const ok = results.every((result) => result.ok);
const whole = asked.length > 1 ? { ...(name && { bench: name }), benches: results, ok } : results[0];
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(whole, null, 2)}\n`);
process.exitCode = ok ? 0 : 1;

function given() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '5' },
        only: { type: 'string' },
        'cpu-prof': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return wrongUse(error.message);
  }
}

function counted(option, text) {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 100) wrongUse(`--${option} takes a whole number from 1 to 100`);
  return count;
}

function wrongUse(says) {
  console.error(`${says}\n\n${USAGE}`);
  process.exit(2);
}
