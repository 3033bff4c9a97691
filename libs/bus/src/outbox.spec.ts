import { describe, expect, it } from '@jest/globals';
import { auditEvent, FIRST_PREV, type EventDraft } from '@portcullis/audit-schemas/envelope';
import { eventHash } from '@portcullis/audit-schemas/digest';
import { Refusal } from '@portcullis/contract/refusals';
import fc from 'fast-check';
import { eventKey, follow, keyIn, link, newChain } from './outbox.js';

const ID = '019b7d5e-0000-7000-8000-000000000001';
const start = newChain('mcp-server', 'instance-1');
const draft = (over: Partial<EventDraft> = {}): EventDraft =>
  ({
    type: 'portcullis.admin.v1',
    tenant: 'default',
    subject: 'agt_aaaaaaaaaaaaaaaaaaaaaaaaaa',
    at: 1_767_323_045_678,
    data: { action: 'client.added', actor: 'local-admin/0' },
    ...over,
  }) as EventDraft;

describe('link', () => {
  it('makes a CloudEvent with source, number and the hash of nothing before it', () => {
    const { event, line, head } = link(start, draft(), ID);
    expect(event).toEqual({
      specversion: '1.0',
      id: ID,
      source: '/portcullis/mcp-server/instance-1',
      type: 'portcullis.admin.v1',
      subject: 'agt_aaaaaaaaaaaaaaaaaaaaaaaaaa',
      time: '2026-01-02T03:04:05.678Z',
      datacontenttype: 'application/json',
      tenant: 'default',
      seq: 1,
      prev: FIRST_PREV,
      data: { action: 'client.added', actor: 'local-admin/0' },
    });
    expect(JSON.parse(line)).toEqual(event);
    expect(head).toEqual({ source: event.source, seq: 1, prev: eventHash(line) });
  });

  it('chains the next event to the line of the last', () => {
    const first = link(start, draft(), ID);
    const second = link(first.head, draft(), ID);
    expect(second.event).toMatchObject({ seq: 2, prev: eventHash(first.line) });
  });

  it('leaves out what the schema does not name, so that nothing slips into the audit by accident', () => {
    const data = { action: 'client.added', actor: 'a', client_secret: 'hunter2' };
    const { line } = link(start, draft({ data } as Partial<EventDraft>), ID);
    expect(line).not.toContain('hunter2');
  });

  it.each<[string, Partial<EventDraft>]>([
    ['a field too long', { data: { action: 'x'.repeat(65), actor: 'a' } } as Partial<EventDraft>],
    ['a missing field', { data: { actor: 'a' } } as unknown as Partial<EventDraft>],
    ['an unknown type', { type: 'portcullis.other.v1' } as unknown as Partial<EventDraft>],
    ['no tenant', { tenant: 'No Tenant' }],
    ['no time', { at: Number.NaN }],
    ['a time beyond all dates', { at: 1e18 }],
    ['a time after the year 9999', { at: 1e15 }],
    ['an endless subject', { subject: 's'.repeat(70_000) }],
  ])('refuses a draft with %s as a bug of ours', (_, over) => {
    expect(() => link(start, draft(over), ID)).toThrow(Refusal);
    expect(() => link(start, draft(over), ID)).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('names the field in the detail of a refusal, never its value', () => {
    const secret = 'hunter2'.repeat(20);
    let detail: string | undefined;
    try {
      link(start, draft({ data: { action: secret, actor: 'a' } } as Partial<EventDraft>), ID);
    } catch (error) {
      detail = (error as Refusal).detail;
    }
    expect(detail).toBe('not an event of type portcullis.admin.v1: data.action');
  });
});

describe('follow', () => {
  const first = link(start, draft(), ID);
  const second = link(first.head, draft(), ID);

  it('accepts the next line of the chain', () => {
    expect(follow(first.head, second.line)).toEqual(second.head);
  });

  it('takes any event for a start when nothing is known before it', () => {
    expect(follow(undefined, second.line)).toEqual(second.head);
  });

  it.each([
    ['a repeated line', first.line],
    ['a skipped line', link(second.head, draft(), ID).line],
    ['a changed predecessor', link({ ...first.head, prev: FIRST_PREV }, draft(), ID).line],
    ['a line of another source', link({ ...first.head, source: '/portcullis/mcp-server/other' }, draft(), ID).line],
    ['half a line', second.line.slice(0, 40)],
    ['zeros', '\0\0\0'],
    ['null', 'null'],
    ['another object', '{"seq":2}'],
    ['nothing', ''],
  ])('refuses %s', (_, line) => {
    expect(follow(first.head, line)).toBeUndefined();
  });

  it('refuses a line of which any byte was changed', () => {
    const third = link(second.head, draft(), ID);
    fc.assert(
      fc.property(fc.nat(second.line.length - 1), fc.constantFrom('0', 'x', '"', ' '), (at, put) => {
        const changed = second.line.slice(0, at) + put + second.line.slice(at + 1);
        fc.pre(changed !== second.line);
        const after = follow(first.head, changed);
        expect(after && follow(after, third.line)).toBeUndefined();
      }),
    );
  });
});

describe('the form of an event', () => {
  it('reads back as itself, whatever text it carries', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (reason) => {
        const data = { action: 'a', actor: 'b', reason };
        const { event, line } = link(start, draft({ data } as Partial<EventDraft>), ID);
        expect(line).not.toMatch(/[\n\0]/);
        expect(auditEvent.parse(JSON.parse(line))).toEqual(event);
        expect(Buffer.from(line).toString()).toBe(line);
      }),
    );
  });
});

describe('the key on the bus', () => {
  it('is tenant and principal, so that one principal keeps its order', () => {
    expect(eventKey({ tenant: 'acme', subject: 'agt_x' })).toBe('acme/agt_x');
  });

  it('is the tenant alone when nobody was authenticated', () => {
    expect(eventKey({ tenant: 'acme' })).toBe('acme/');
  });
});

describe('keyIn', () => {
  const start = newChain('mcp-server', '0190a5a0-0000-7000-8000-000000000001');
  const ID = '0190a5a0-0000-7000-8000-000000000002';
  const event = (tenant: string, subject: string | undefined, reason: string): EventDraft => ({
    type: 'portcullis.auth.v1',
    tenant,
    subject,
    at: 1_800_000_000_000,
    data: { action: 'token.issued', reason },
  });

  test('is the key of the event, whatever its texts hold', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('","tenant":"evil"', ',"data":{"tenant":"evil"}', '\\","subject":"x'),
    );
    fc.assert(
      fc.property(fc.option(text, { nil: undefined }), text, (subject, reason) => {
        const { line } = link(start, event('acme', subject, reason), ID);
        expect(keyIn(line)).toBe(eventKey({ tenant: 'acme', subject }));
      }),
    );
  });

  test('is found in a line that another wrote, too', () => {
    expect(keyIn('{"data":{"tenant":"evil"},"subject":"agt_x","tenant":"acme"}')).toBe('acme/agt_x');
  });
});
