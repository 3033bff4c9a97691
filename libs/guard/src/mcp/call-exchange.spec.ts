import { CallExchange } from './call-exchange.js';
import type { Message } from './message.js';
import type { Outlet } from './outlet.js';

function exchangeOf(params: Record<string, unknown>, { era = 'modern', logs = false, reads = true } = {}) {
  const sent: any[] = [];
  let opened = 0;
  const outlet: Outlet = {
    send: (message) => sent.push(message) > 0,
    keepAlive: () => {},
    end: () => {},
    cut: () => {},
    onClosed: () => {},
  };
  const message = { era, revision: '2026-07-28', id: 1, method: 'tools/call', params, body: {} } as Message;
  const exchange = new CallExchange(message, logs, () => {
    opened += 1;
    return reads ? outlet : undefined;
  });
  return { exchange, sent, opened: () => opened };
}
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

describe('what a call says besides its arguments', () => {
  it('is what the client can do, what it answers and what it gives back', () => {
    const { exchange } = exchangeOf({
      inputResponses: { name: { action: 'accept' } },
      requestState: 'state',
      _meta: { [CAPABILITIES]: { sampling: {} } },
    });
    expect(exchange.capabilities).toEqual({ sampling: {} });
    expect(exchange.inputResponses).toEqual({ name: { action: 'accept' } });
    expect(exchange.requestState).toBe('state');
  });

  it('is nothing where it is of another kind', () => {
    const { exchange } = exchangeOf({ inputResponses: [], requestState: 1, _meta: { [CAPABILITIES]: 'all' } });
    expect([exchange.capabilities, exchange.inputResponses, exchange.requestState]).toEqual([{}, undefined, undefined]);
  });

  it('lets a tool go on that needs what the client can do, and no other', () => {
    const { exchange } = exchangeOf({ _meta: { [CAPABILITIES]: { sampling: {} } } });
    expect(() => exchange.needs('sampling')).not.toThrow();
    expect(() => exchange.needs('elicitation')).toThrow(
      expect.objectContaining({ code: 'capability_missing', facts: { requiredCapabilities: { elicitation: {} } } }),
    );
    expect(() => exchange.needs('toString')).toThrow();
  });
});

describe('what is told while a call is under way', () => {
  it('is progress, under the token that the client gave, and never backwards', () => {
    const { exchange, sent, opened } = exchangeOf({ _meta: { progressToken: 'p' } });
    exchange.progress(0, 100);
    exchange.progress(50, 100, 'half');
    exchange.progress(50, 100);
    exchange.progress(20, 100);
    exchange.progress(NaN);
    expect(sent.map(({ params }) => params)).toEqual([
      { progressToken: 'p', progress: 0, total: 100 },
      { progressToken: 'p', progress: 50, total: 100, message: 'half' },
    ]);
    expect(opened()).toBe(1);
  });

  it('is no progress for who did not ask, and then no stream is opened', () => {
    const { exchange, sent, opened } = exchangeOf({ _meta: { progressToken: {} } });
    exchange.progress(1);
    exchange.log('error', 'x');
    expect([sent, opened()]).toEqual([[], 0]);
  });

  it.each([
    ['warning', ['error', 'warning']],
    ['debug', ['error', 'warning', 'info', 'debug']],
    ['loud', []],
    [undefined, []],
  ])('is messages from the level on that the client asked for: %s', (level, heard) => {
    const { exchange, sent } = exchangeOf({ _meta: { ...(level !== undefined && { [LOG_LEVEL]: level }) } });
    for (const each of ['error', 'warning', 'info', 'debug'] as const) exchange.log(each, 'x', 'tool');
    expect(sent.map(({ params }) => params.level)).toEqual(heard);
  });

  it('is messages from info on for older clients, of a server that says it logs', () => {
    const { exchange, sent } = exchangeOf({}, { era: 'legacy', logs: true });
    exchange.log('debug', 1);
    exchange.log('info', 2);
    expect(sent.map(({ params }) => params.data)).toEqual([2]);
    const quiet = exchangeOf({}, { era: 'legacy' });
    quiet.exchange.log('error', 1);
    expect(quiet.sent).toEqual([]);
  });

  it('is nothing for a client that reads no stream, and it is asked once', () => {
    const { exchange, opened } = exchangeOf({ _meta: { progressToken: 1 } }, { reads: false });
    exchange.progress(1);
    exchange.progress(2);
    expect(opened()).toBe(1);
  });

  it('is nothing once the answer was made', () => {
    const { exchange, sent } = exchangeOf({ _meta: { progressToken: 1 } });
    exchange.progress(1);
    exchange.close();
    exchange.progress(2);
    expect(sent).toHaveLength(1);
  });
});
