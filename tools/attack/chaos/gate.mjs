// What the load of the chaos attack asks of the running gate: clients, tokens, calls, revocations.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { clientAssertion } from '@portcullis/cli/assertion';

const ANSWER_WITHIN_MS = 5_000;
const TOKENS_NEWER_THAN_MS = 10 * 60_000;

/** @typedef {{ client_id: string, client_secret: string }} Client */
/**
 * @typedef {object} Answer
 * @property {string} request what the call was sent with as X-Request-ID
 * @property {string} tool
 * @property {string} client
 * @property {number} sentAt ms since epoch
 * @property {number} [answeredAt] absent: no whole answer came
 * @property {number} [status]
 * @property {string} [correlationId]
 */

/** @param {{ authServer: string, mcp: string, admin: string }} ready */
export function gateAt({ authServer, mcp, admin }) {
  const tokens = new Map();

  const post = (url, { headers, body }) =>
    fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  const form = (path, client, fields) =>
    post(`${authServer}${path}`, {
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(client && {
          authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`,
        }),
      },
      body: new URLSearchParams(fields),
    });

  async function adminToken() {
    const jwk = JSON.parse(readFileSync(admin, 'utf8'));
    const assertion = await clientAssertion(jwk, authServer, Date.now(), randomUUID());
    const answer = await form('/token', undefined, {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      resource: `${authServer}/admin`,
      scope: 'admin:clients',
    });
    return (await expectOk(answer)).access_token;
  }

  async function newToken(/** @type {Client} */ client) {
    const answer = await form('/token', client, { grant_type: 'client_credentials', resource: mcp });
    return (await expectOk(answer)).access_token;
  }

  return {
    /** @returns {Promise<Client[]>} agents of their own, each with its own limits */
    async newClients(count) {
      const authorization = `Bearer ${await adminToken()}`;
      const clients = [];
      for (let n = 0; n < count; n += 1) {
        const answer = await post(`${authServer}/admin/v1/clients`, {
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify({
            name: `chaos ${n + 1}`,
            auth_method: 'client_secret_basic',
            dpop_bound_access_tokens: false,
            scopes: ['customer:read', 'ticket:create', 'account:calculate'],
          }),
        });
        clients.push(await expectOk(answer));
      }
      return clients;
    },
    newToken,
    /** A token that is good for minutes yet; the last one while no other can be had. */
    async tokenOf(/** @type {Client} */ client) {
      const kept = tokens.get(client.client_id);
      if (kept !== undefined && Date.now() - kept.at < TOKENS_NEWER_THAN_MS) return kept.token;
      try {
        const token = await newToken(client);
        tokens.set(client.client_id, { token, at: Date.now() });
        return token;
      } catch (error) {
        if (kept !== undefined) return kept.token;
        throw error;
      }
    },
    /** @returns {Promise<boolean>} whether it was answered that the token is revoked (RFC 7009 §2.2) */
    revoke: (/** @type {Client} */ client, token) =>
      form('/revoke', client, { token }).then(
        ({ ok }) => ok,
        () => false,
      ),
    /**
     * @param {string} url of one replica
     * @returns {Promise<Answer>}
     */
    async call(url, { client, token, tool, args }) {
      const sent = { request: randomUUID(), tool, client, sentAt: Date.now() };
      try {
        const answer = await post(`${url}/mcp`, {
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-protocol-version': '2025-06-18',
            'x-request-id': sent.request,
          },
          body: JSON.stringify({
            jsonrpc: '2.0',
            id: 1,
            method: 'tools/call',
            params: { name: tool, arguments: args(sent.request) },
          }),
        });
        await answer.text();
        const correlationId = answer.headers.get('x-correlation-id') ?? undefined;
        return { ...sent, answeredAt: Date.now(), status: answer.status, correlationId };
      } catch {
        return sent;
      }
    },
  };
}

async function expectOk(answer) {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${new URL(answer.url).pathname} answers ${answer.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}
