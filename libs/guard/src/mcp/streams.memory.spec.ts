import { jest } from '@jest/globals';
import type { BehaviourState } from '@portcullis/contract/standing';
import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import type { Outlet } from './outlet.js';
import { memoryStreams } from './streams.memory.js';

const EXPIRES = 1_000;
const callerOf = (principal = 'agt_a', tenant = 'default') => ({ tenant, principal, expiresAt: EXPIRES }) as Caller;

function outletOf() {
  let then: (() => void)[] = [];
  let signs = 0;
  const outlet: Outlet = {
    send: () => true,
    keepAlive: () => (signs += 1),
    end: () => close(),
    cut: () => close(),
    onClosed: (heard) => void then.push(heard),
  };
  const close = () => {
    const heard = then;
    then = [];
    for (const each of heard) each();
  };
  return { outlet, close, signs: () => signs };
}

function rules() {
  const now = { at: 0, revoked: false, state: 'Normal' as BehaviourState, stopped: false };
  return {
    now,
    streams: (more = {}) =>
      memoryStreams({
        now: () => now.at,
        isRevoked: () => {
          if (now.stopped) throw new Refusal('overloaded');
          return now.revoked;
        },
        stateOf: () => now.state,
        ...more,
      }),
  };
}

/** What ends the stream, as the registry tells it. */
const ended = (streams: ReturnType<typeof memoryStreams>, outlet: Outlet) =>
  new Promise<string | undefined>((resolve) =>
    streams.place(callerOf()).take(outlet, (why) => resolve(why?.code ?? 'stopped')),
  );

describe('an open stream', () => {
  it.each<[string, (now: ReturnType<typeof rules>['now']) => void, string]>([
    ['its token expires', (now) => (now.at = EXPIRES * 1000), 'token_invalid'],
    ['its token is revoked', (now) => (now.revoked = true), 'token_invalid'],
    ['its caller is contained', (now) => (now.state = 'Isolated'), 'quarantined'],
    ['nobody knows any more', (now) => (now.stopped = true), 'overloaded'],
  ])('ends when %s', async (_when, happens, code) => {
    const { now, streams } = rules();
    const open = streams();
    const over = ended(open, outletOf().outlet);
    expect(open.size).toBe(1);
    happens(now);
    expect(await over).toBe(code);
    expect(open.size).toBe(0);
  });

  it('ends when the server stops, and none is opened after', async () => {
    const open = rules().streams();
    const over = ended(open, outletOf().outlet);
    open.close();
    expect(await over).toBe('stopped');
    expect(() => open.place(callerOf())).toThrow(expect.objectContaining({ code: 'overloaded' }));
    open.close();
  });

  it('that its client closed is over without a word', async () => {
    const open = rules().streams();
    const { outlet, close } = outletOf();
    let told = 0;
    open.watch(callerOf(), outlet, () => (told += 1));
    close();
    open.close();
    expect([told, open.size]).toEqual([0, 0]);
  });
});

it('shows a sign of life four times a minute', () => {
  jest.useFakeTimers();
  try {
    const open = rules().streams();
    const { outlet, signs } = outletOf();
    open.watch(callerOf(), outlet, () => {});
    jest.advanceTimersByTime(60_000);
    expect(signs()).toBe(4);
    open.close();
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

describe('places for subscriptions', () => {
  const taken = (streams: ReturnType<typeof memoryStreams>, caller = callerOf()) => {
    const { outlet, close } = outletOf();
    streams.place(caller).take(outlet, () => {});
    return close;
  };

  it('are four for one principal; one that is given back is free again', () => {
    const open = rules().streams();
    const closes = Array.from({ length: 4 }, () => taken(open));
    const refused = expect.objectContaining({
      code: 'rate_limited',
      facts: expect.objectContaining({ limitType: 'concurrency' }),
    });
    expect(() => open.place(callerOf())).toThrow(refused);
    expect(() => open.place(callerOf('agt_a', 'other')).leave()).not.toThrow();
    closes[0]!();
    const place = open.place(callerOf());
    expect(() => open.place(callerOf())).toThrow(refused);
    place.leave();
    place.leave();
    taken(open);
    expect(() => open.place(callerOf())).toThrow(refused);
    open.close();
  });

  it('are bounded in all, and one tenant has half of them', () => {
    const overloaded = expect.objectContaining({ code: 'overloaded' });
    const open = rules().streams({ inAll: 4 });
    const place = open.place(callerOf('agt_a'));
    taken(open, callerOf('agt_b'));
    expect(() => open.place(callerOf('agt_c'))).toThrow(overloaded);
    for (const name of ['agt_a', 'agt_b']) taken(open, callerOf(name, 'other'));
    expect(() => open.place(callerOf('agt_a', 'third'))).toThrow(overloaded);
    place.leave();
    expect(() => open.place(callerOf('agt_a', 'other'))).toThrow(overloaded);
    expect(() => open.place(callerOf('agt_a', 'third')).leave()).not.toThrow();
    open.close();
  });
});
