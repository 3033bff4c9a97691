import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allowInBrowser } from './browser.mjs';

export const SUITE_PACKAGE = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance');
const SUITE = join(SUITE_PACKAGE, 'dist/index.js');
/** The suite itself waits five minutes for a browser. */
const LONGEST_MS = 2 * 60_000;

/**
 * Runs `conformance authorization` of the MCP project against an issuer, as a public client and with a scripted browser.
 * @param {{ issuer: string, clientId: string, resource?: string, person: { username: string, password: string } }} of
 * @returns {Promise<{ exit: number | null, checks: { scenario: string, id: string, status: string, why?: string }[] }>}
 *   the checks as its result files have them
 */
export async function runAuthorizationSuite({ issuer, clientId, resource, person }) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-mcp-suite-'));
  const args = ['authorization', '--url', issuer, '--client-id', clientId, '--output-dir', folder];
  args.push('--port', String(await freePort()), ...(resource === undefined ? [] : ['--resource', resource]));
  const child = spawn(process.execPath, [SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  try {
    let printed = '';
    let browser;
    const failed = new Promise((_resolve, reject) => {
      child.once('error', reject);
      const read = (chunk) => {
        printed += chunk;
        const url = new RegExp(`^${RegExp.escape(issuer)}/authorize\\?\\S+$`, 'm').exec(printed)?.[0];
        if (url !== undefined) browser ??= allowInBrowser(url, person).catch(reject);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    const exit = await Promise.race([closed, failed]);
    return { exit, checks: checksIn(folder) };
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One folder for each scenario, its name with the time behind it, its checks in `checks.json`. */
export function checksIn(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('checks.json'));
  return files.flatMap((file) =>
    JSON.parse(readFileSync(join(folder, file), 'utf8')).map(({ id, status, errorMessage }) => ({
      scenario: scenarioOf(file),
      id,
      status,
      ...(errorMessage !== undefined && { why: errorMessage }),
    })),
  );
}

const scenarioOf = (file) =>
  file
    .replace(/[\\/]checks\.json$/, '')
    .replace(/^(?:authorization-server-(?=authorization-)|server-)/, '')
    .replace(/-\d{4}-\d{2}-\d{2}T.*$/, '');

async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
