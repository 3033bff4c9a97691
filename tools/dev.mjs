// `npm run dev -- APP`: one service alone, from its sources, restarted on change, on embedded parts. What the environment
// says wins over what is set here, so that `AUTH_ISSUER=http://127.0.0.1:4400 npm run dev -- mcp-server` joins others.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const PORTS = { 'auth-server': 4400, 'mcp-server': 4401, 'rate-limiter': 4402, 'security-analytics': 4404 };
const at = (app) => `http://127.0.0.1:${PORTS[app]}`;

/** Every app that serves: one with a main.ts and no command of its own. */
const apps = readdirSync(join(root, 'apps')).filter((app) => {
  const { bin } = JSON.parse(readFileSync(join(root, 'apps', app, 'package.json'), 'utf8'));
  return bin === undefined && existsSync(join(root, 'apps', app, 'src/main.ts'));
});
const HELP = `npm run dev -- APP [OPTIONS OF THE APP]

Runs one service from its sources and restarts it on change.
  APP   ${apps.join(', ')}

It runs in embedded mode, on the ports of the platform (${Object.entries(PORTS)
  .map(([app, port]) => `${app} ${port}`)
  .join(', ')}; management + 100),
keeps its data under .portcullis/dev-APP, and looks for the other services where npm start has them. Variables of the
environment win: PORT, AUTH_ISSUER, MCP_RESOURCE, RATE_LIMITER_URL, ANALYTICS_URL, DATABASE_URL, OUTBOX_DIR, LOG_LEVEL, …
`;

const [app, ...rest] = process.argv.slice(2);
if (app === '--help' || app === '-h') {
  process.stdout.write(HELP);
} else if (app === undefined || !apps.includes(app)) {
  process.stderr.write(`${app === undefined ? 'Which app?' : `There is no app '${app}'.`} Apps: ${apps.join(', ')}\n`);
  process.exitCode = 2;
} else {
  run(app, rest);
}

function run(app, args) {
  const data = join(root, '.portcullis', `dev-${app}`);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const child = spawn(
    process.execPath,
    [
      '--watch',
      '--watch-preserve-output',
      '--conditions=@portcullis/source',
      '--enable-source-maps',
      '--disable-warning=ExperimentalWarning',
      '--import',
      pathToFileURL(join(root, 'node_modules/@swc-node/register/esm/esm-register.mjs')).href,
      join(root, 'apps', app, 'src/main.ts'),
      ...(app === 'standalone' && !args.includes('--data') && !args.includes('--ephemeral') ? ['--data', data] : []),
      ...args,
    ],
    { cwd: root, env: { ...embedded(app, data), ...process.env, ...toolchain() }, stdio: 'inherit' },
  );
  // Ctrl-C reaches the child by itself; what only this process gets is passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1);
  });
}

/** The outer surface of the platform: embedded, loopback, each service where the others look for it. */
function embedded(app, data) {
  return {
    PORTCULLIS_MODE: 'embedded',
    ...(PORTS[app] !== undefined && { PORT: String(PORTS[app]) }),
    AUTH_ISSUER: at('auth-server'),
    MCP_RESOURCE: `${at('mcp-server')}/mcp`,
    RATE_LIMITER_URL: at('rate-limiter'),
    ANALYTICS_URL: at('security-analytics'),
    DATABASE_URL: `pglite://${join(data, 'db')}`,
    OUTBOX_DIR: join(data, 'outbox'),
    DEMO: 'true',
    LOG_LEVEL: 'debug',
  };
}

function toolchain() {
  return {
    PATH: join(root, 'node_modules/.bin') + delimiter + process.env.PATH,
    SWC_NODE_PROJECT: join(root, 'tsconfig.base.json'),
  };
}
