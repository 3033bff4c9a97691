import { afterEach, describe, expect, it } from '@jest/globals';
import type { Bus } from '@portcullis/bus/bus';
import type { PassedOver } from '@portcullis/contract/containment';
import { principalId } from '@portcullis/contract/ids';
import { silentLog } from '@portcullis/contract/log';
import type { BehaviourState } from '@portcullis/contract/standing';
import { memoryContainment } from './containment.memory.js';
import { signersOn } from './feeds.fixture.js';
import { startHeartbeats } from './heartbeats.memory.js';
import { revocationFeed } from './revocation-feed.js';
import { standingFeed } from './standing-feed.js';

/** Processes of one deployment: each has its bus, and all of them hear each other. */
export interface TestProcesses {
  /** @returns the bus of one more process */
  bus(): Bus;
  close(): Promise<void>;
}

const STANDING = 'portcullis.standing';
const REVOCATIONS = 'portcullis.revocations';
const agentOf = (name: string, tenant = 'default') => principalId(tenant, name);
const keyOf = (name: string, tenant = 'default') => `${tenant}/${agentOf(name, tenant)}`;
const bodyOf = (state: BehaviourState, name: string, tenant = 'default') => ({
  tenant,
  agent: agentOf(name, tenant),
  state,
  since: '2026-01-01T00:00:00.000Z',
});
const who = (name: string, tenant = 'default') => ({ tenant, principal: agentOf(name, tenant) });
async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 10_000) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What the feeds of standing and of revocations do on every bus. @param open processes that no other test has */
export function statementFeedContract(open: () => TestProcesses): void {
  const opened: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  function deployment() {
    const processes = open();
    opened.push(() => processes.close());
    const containment = memoryContainment();
    const publisher = processes.bus();
    const listening = () => {
      const passedOver: PassedOver[] = [];
      const ports = {
        keysOf: containment.keysOf,
        now: Date.now,
        uptime: () => performance.now(),
        passedOver: (_topic: unknown, why: PassedOver) => void passedOver.push(why),
        log: silentLog,
      };
      return { bus: processes.bus(), passedOver, ports };
    };
    return {
      publisher,
      containment,
      signers: signersOn(publisher, containment),
      async standing() {
        const { bus, passedOver, ports } = listening();
        const feed = await standingFeed(bus, 'mcp-server', ports);
        opened.push(feed.stop);
        return { feed, passedOver };
      },
      async revocations() {
        const { bus, passedOver, ports } = listening();
        const feed = await revocationFeed(bus, 'mcp-server', ports);
        opened.push(feed.stop);
        return { feed, passedOver };
      },
    };
  }

  describe('feeds of statements', () => {
    it('reach every replica of one service, each agent’s in order, and one that comes later before it is there', async () => {
      const { standing, signers } = deployment();
      const replicas = [await standing(), await standing(), await standing()];
      const states = ['Isolated', 'Remediation', 'Monitoring', 'Normal', 'Compromised'] as const;
      const names = ['a', 'b', 'c', 'd'];
      for (const [seq, state] of states.entries()) {
        await signers.publish(STANDING, ...names.map((name) => ({ key: keyOf(name), seq, body: bodyOf(state, name) })));
      }
      for (const { feed, passedOver } of replicas) {
        await until(() => names.every((name) => feed.stateOf(who(name)) === 'Compromised'));
        expect(passedOver).toEqual([]);
      }
      const late = await standing();
      expect(names.map((name) => late.feed.stateOf(who(name)))).toEqual(names.map(() => 'Compromised'));
    });

    it('do not take what nobody signed, what another service signed, nor what was said of another', async () => {
      const { standing, publisher, signers, containment } = deployment();
      const here = await standing();
      await signers.publish(STANDING, { key: keyOf('a'), seq: 5, body: bodyOf('Isolated', 'a') });
      const free = bodyOf('Normal', 'a');
      const strangers = containment.signers['auth-server'];
      await publisher.publish(STANDING, [
        { key: keyOf('a'), value: JSON.stringify(free) },
        { key: keyOf('a'), value: strangers.sign(STANDING, keyOf('a'), 9, free) },
        { key: keyOf('a'), value: 'not JSON at all' },
      ]);
      await signers.publish(STANDING, { key: keyOf('b'), seq: 6, body: free });
      await signers.publish(STANDING, { key: keyOf('c'), seq: 7, body: bodyOf('Isolated', 'c') });
      await until(() => here.feed.stateOf(who('c')) === 'Isolated');
      // a compacted topic may have forgotten what was said before a forgery: its signer says it again
      await signers.publish(STANDING, { key: keyOf('a'), seq: 8, body: bodyOf('Isolated', 'a') });
      const late = await standing();
      for (const { feed } of [here, late]) {
        expect(['a', 'b', 'c'].map((name) => feed.stateOf(who(name)))).toEqual(['Isolated', 'Normal', 'Isolated']);
      }
      expect(here.passedOver).toEqual(['unsigned', 'unknown_key', 'unsigned', 'misplaced']);
    });

    it('let no older statement come back, and no tombstone free anybody', async () => {
      const { standing, publisher, signers } = deployment();
      const { feed, passedOver } = await standing();
      await signers.publish(STANDING, { key: keyOf('a'), seq: 2, body: bodyOf('Isolated', 'a') });
      await signers.publish(STANDING, { key: keyOf('a'), seq: 1, body: bodyOf('Normal', 'a') });
      await publisher.publish(STANDING, [{ key: keyOf('a'), value: '' }]);
      await signers.publish(STANDING, { key: keyOf('b'), seq: 3, body: bodyOf('Isolated', 'b') });
      await until(() => feed.stateOf(who('b')) === 'Isolated');
      expect(feed.stateOf(who('a'))).toBe('Isolated');
      expect(passedOver).toEqual(['out_of_date', 'removed']);
    });

    it('tell one tenant nothing of the other: its agents are what unknown ones are', async () => {
      const { standing, revocations, signers } = deployment();
      const [one, other] = [await standing(), await revocations()];
      await signers.publish(STANDING, { key: keyOf('a', 'acme'), seq: 1, body: bodyOf('Isolated', 'a', 'acme') });
      const [at, expires] = [0, 3_600_000].map((ms) => new Date(Date.now() + ms).toISOString());
      const revoked = { tenant: 'acme', what: 'token', id: 'jti-1', at, until: expires };
      await signers.publish(REVOCATIONS, { key: 'acme/token/jti-1', seq: 1, body: revoked });
      const token = {
        tenant: 'acme',
        tokenId: 'jti-1',
        grantId: undefined,
        principal: agentOf('a', 'acme'),
        clientId: 'c',
        sub: undefined,
        issuedAt: Math.floor(Date.now() / 1_000) - 1,
      };
      await until(() => one.feed.stateOf(who('a', 'acme')) === 'Isolated');
      await until(() => other.feed.isRevoked(token));
      const asked = { tenant: 'globex', principal: agentOf('a', 'acme') };
      expect([one.feed.stateOf(asked), one.feed.stateOf(who('nobody', 'globex'))]).toEqual(['Normal', 'Normal']);
      const asGlobex = [token, { ...token, tokenId: 'none' }].map((each) => ({ ...each, tenant: 'globex' }));
      expect(asGlobex.map((each) => other.feed.isRevoked(each))).toEqual([false, false]);
    });

    it('are fresh while their signer is heard, and not by what a topic holds from long ago', async () => {
      const { standing, publisher, containment, signers } = deployment();
      await signers.beat(STANDING, Date.now() - 60_000);
      const { feed, passedOver } = await standing();
      expect(feed.isFresh()).toBe(false);
      const signer = containment.signers['security-analytics'];
      const beating = await startHeartbeats(publisher, STANDING, signer, { now: Date.now, log: silentLog });
      opened.push(beating.stop);
      await until(() => feed.isFresh());
      expect(passedOver).toEqual([]);
    });

    it('are worth nothing once they have stopped', async () => {
      const { standing, revocations } = deployment();
      const { feed } = await standing();
      const { feed: revoked } = await revocations();
      await Promise.all([feed.stop(), revoked.stop()]);
      expect([feed, revoked].map((each) => [each.ready(), each.isFresh()])).toEqual([
        [false, false],
        [false, false],
      ]);
      expect(() => feed.stateOf(who('a'))).toThrow();
      expect(() => revoked.isShutOut('default', 'usr_a', 0)).toThrow();
    });
  });
}
