import type { Log } from '@portcullis/contract/log';
import { Refusal, refusalOf, REFUSALS } from '@portcullis/contract/refusals';
import type { Slot } from '../slots.js';
import type { CallRecord } from '../call.js';
import { admit, run, type AdmittedCall } from '../pipeline.js';
import {
  otherAnswer,
  refusalAnswer,
  refusalError,
  resourceAnswer,
  toolAnswer,
  toolRefusalAnswer,
  wholeAnswer,
  type Answer,
} from './answer.js';
import { pageAnswer } from './approval-exchange.js';
import { NO_CHANGES } from './changes.js';
import { preflightAnswer } from './cors.js';
import type { DoorParts } from './door-parts.js';
import { dressed } from './dressed.js';
import type { Inbound } from './inbound.js';
import { asksForInput, requireAskable } from './input-requests.js';
import { answerId, eraOf, type Message } from './message.js';
import type { Neighbourhood } from './origins.js';
import { Passage } from './passage.js';
import { readOperation } from './read-operation.js';
import { listen } from './subscriptions.js';

/** Answers requests to /mcp, each with exactly one audit event, which is durable before the answer leaves. */
export function frontDoor(parts: DoorParts): (inbound: Inbound) => Promise<Answer> {
  return async (inbound) => {
    const passage = new Passage(inbound, parts);
    let answer: Answer | undefined;
    try {
      answer = await through(passage, parts);
    } catch (error) {
      answer = refused(passage, (passage.record.refusal = refusalOf(error)), parts);
    } finally {
      try {
        answer = await closed(passage, answer ?? refused(passage, new Refusal('internal'), parts), parts);
      } finally {
        answer = leaving(passage.record, answer, parts.log);
      }
    }
    return answer!;
  };
}

async function through(passage: Passage, parts: DoorParts): Promise<Answer> {
  const { inbound, record } = passage;
  if (checkHead(inbound, parts.neighbourhood) === 'preflight') return preflightAnswer(inbound.preflightHeaders);
  const call = await admit(
    {
      authorization: inbound.authorization,
      dpop: inbound.dpop,
      method: inbound.method,
      address: inbound.address,
      readOperation: () => readOperation(passage, parts),
    },
    record,
    parts.guard,
  );
  return await serve(call, passage.message!, passage, parts);
}

/** What can be said from the head alone, before anything is asked of anyone. */
function checkHead(inbound: Inbound, { hostAllowed, originAllowed }: Neighbourhood): 'preflight' | 'request' {
  if (!inbound.secure) throw new Refusal('origin_forbidden', { hint: 'This server answers over https only.' });
  // more than one Host: a proxy may have looked at the other (RFC 9112 §3.2)
  const [host, ...more] = inbound.hosts;
  if (more.length > 0 || !hostAllowed(host) || !originAllowed(inbound.origin)) throw new Refusal('origin_forbidden');
  if (inbound.method === 'OPTIONS' && inbound.origin !== undefined && inbound.preflightFor === 'POST')
    return 'preflight';
  if (inbound.method !== 'POST') throw new Refusal('http_method_unsupported');
  return 'request';
}

/** Behind the first door. Refusals of the second become results where the method has a result for them. */
async function serve(call: AdmittedCall, message: Message, passage: Passage, parts: DoorParts): Promise<Answer> {
  const { inbound, record } = passage;
  const { operation, caller } = call;
  if (operation.kind === 'other') {
    if (operation.method === 'subscriptions/listen' && message.id !== undefined)
      return subscribed(call, passage, parts);
    const { status, body } = await parts.others.answer(message, caller, inbound.headers);
    return otherAnswer(status, body);
  }
  try {
    const output = await run(call, parts.guard, passage);
    if (passage.ended !== undefined) throw passage.ended;
    if (operation.kind === 'resource')
      return resourceAnswer(message, operation, output, parts.serverInfo, record.labels);
    return operation.tool.answers === 'result'
      ? wholeAnswer(message, askable(output, message, passage), parts.serverInfo, record.labels)
      : toolAnswer(message, output, parts.serverInfo, record.labels);
  } catch (error) {
    record.refusal = passage.ended ?? refusalOf(error);
    // what is no answer of the tool's (500, 503, 499) is none to the protocol either
    if (operation.kind === 'resource' || REFUSALS[record.refusal.code].http !== 200) throw record.refusal;
    if (record.pageToOpen) return pageAnswer(message, record.pageToOpen, parts.serverInfo);
    return toolRefusalAnswer(message, record.refusal, record.correlationId, parts.serverInfo);
  } finally {
    passage.hush();
  }
}

/** A result as it is, unless it asks for what this client cannot be asked for. */
function askable(output: unknown, { era }: Message, passage: Passage): unknown {
  if (asksForInput(output)) requireAskable(output, era, passage.exchange);
  return output;
}

function subscribed({ caller }: AdmittedCall, { message, inbound, record }: Passage, parts: DoorParts): Answer {
  if (!inbound.acceptsEvents()) throw new Refusal('request_invalid', { hint: 'Accept has to name text/event-stream.' });
  const { correlationId } = record;
  const { streams, changes = NO_CHANGES, serverInfo } = parts;
  return listen(message!, caller, { streams, changes, serverInfo }, (why) =>
    refusalError(why, { id: message!.id!, correlationId }),
  );
}

const refused = ({ inbound, record, body }: Passage, refusal: Refusal, { challenge, random }: DoorParts): Answer =>
  refusalAnswer(
    refusal,
    { id: answerId(body), era: eraOf(body, inbound.headers), correlationId: record.correlationId },
    { ...challenge, ...(record.caller?.jkt !== undefined && { scheme: 'DPoP' as const }) },
    random,
  );

/** Settles what the call holds, and lets the answer go only when its event is kept. */
async function closed(passage: Passage, answer: Answer, parts: DoorParts): Promise<Answer> {
  const { inbound, record } = passage;
  const { refusal, caller } = record;
  if (refusal?.code === 'tool_unknown' && caller !== undefined) record.denial = true;
  tell(record, parts.log);
  try {
    const settled = parts.ledger.settle(record, answer);
    if (settled) await settled;
    await parts.ledger.append(record, inbound, passage.streaming ? 200 : answer.status);
  } catch (error) {
    answer.stream?.dropped();
    parts.log.error('a call was not recorded, so its answer was withheld', {
      correlationId: record.correlationId,
      error,
    });
    return dressed(
      refused(passage, new Refusal('overloaded', { retryAfterMs: 1000 }), parts),
      passage,
      parts.neighbourhood,
    );
  }
  return dressed(answer, passage, parts.neighbourhood);
}

/** An answer larger than this is waiting for its client to take it, and the call keeps its slot until then. UTF-16 units. */
const LARGE_ANSWER = 16 * 1024;

/** Gives the slot back exactly once: now, when a large answer was taken, or when a tool that was given up has ended. */
function leaving(record: CallRecord, answer: Answer | undefined, log: Log): Answer | undefined {
  const { slot, unfinished } = record;
  if (slot === undefined) return answer;
  if (unfinished !== undefined) void unfinished.then((threw) => leftLate(slot, record, threw, log));
  else if (answer?.body !== undefined && answer.body.length > LARGE_ANSWER) return { ...answer, slot };
  else slot.leave();
  return answer;
}

/** The event of such a call is long kept, and says that nobody saw how its tool ended: this line does. */
function leftLate(slot: Slot, { correlationId, operation }: CallRecord, threw: string | undefined, log: Log): void {
  slot.leave();
  const tool = operation?.kind === 'other' ? undefined : operation?.tool.name;
  const ended = threw === undefined ? 'well' : 'threw';
  log.warn('a tool that was given up has ended', { correlationId, tool, ended, ...(threw !== undefined && { threw }) });
}

function tell({ correlationId, refusal }: CallRecord, log: Log): void {
  if (refusal === undefined) return;
  const ours = refusal.code === 'internal' || refusal.code === 'tool_failed';
  const facts = { correlationId, code: refusal.code, detail: refusal.detail, error: refusal.cause };
  if (ours) log.error('a call failed', facts);
  else log.debug('a call was refused', facts);
}
