import { isJsonContentType } from '@modelcontextprotocol/server';
import { Refusal, refusalOf, REFUSALS } from '@portcullis/contract/refusals';
import type { Log } from '@portcullis/contract/log';
import type { AttemptLog } from '../attempt.js';
import type { CallRecord, Operation } from '../call.js';
import type { Waiting } from '../deadline.js';
import { admit, run, type AdmittedCall, type GuardPorts } from '../pipeline.js';
import type { Slot } from '../slots.js';
import type { AnyTool } from '../tool.js';
import { JsonRefused, parseJson } from '@portcullis/validators/json';
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
import { CallExchange } from './call-exchange.js';
import { NO_CHANGES, type Changes } from './changes.js';
import { corsHeaders, preflightAnswer } from './cors.js';
import type { CallLedger } from './ledger.js';
import type { Outlet } from './outlet.js';
import { METHODS, type Methods, type ServerInfo } from './protocol.js';
import type { ResourceTemplate } from './resources.js';
import { answerId, eraOf, messageOf, type Message, type ProtocolHeaders } from './message.js';
import { operationOf } from './operation.js';
import type { Neighbourhood } from './origins.js';
import type { OtherMethods } from './other-methods.js';
import { requireParamHeaders } from './param-headers.js';
import { askedOf, openRecord, type Arrival } from './record.js';
import type { Streams } from './streams.js';
import { listen } from './subscriptions.js';
import { asksForInput, requireAskable } from './input-requests.js';

/** A request to /mcp: what its head says, and its body when asked for. */
export interface Inbound extends Arrival {
  readonly method: string;
  /** it came over TLS, or need not have */
  readonly secure: boolean;
  /** every Host header as it came */
  readonly hosts: readonly string[];
  readonly origin: string | undefined;
  /** the method a browser asks leave for (CORS preflight) */
  readonly preflightFor: string | undefined;
  /** the headers it would send, in the same question */
  readonly preflightHeaders: string | undefined;
  /** every Authorization header as it came */
  readonly authorization: readonly string[];
  /** every DPoP header as it came */
  readonly dpop: readonly string[];
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly headers: ProtocolHeaders;
  /**
   * @param slot gives the room for what is read
   * @throws Refusal body_too_large, json_malformed when it is not UTF-8, request_invalid when it breaks off, and the slot's
   */
  readBody(maxBytes: number, slot: Slot): Promise<string>;
  /** true when the client is gone, so that nobody waits for the answer; asked now and then, which costs a call nothing */
  isGone(): boolean;
  /** any header, by its name in lower case */
  header(name: string): string | undefined;
  /** the client can read an event stream */
  acceptsEvents(): boolean;
  /**
   * Begins the answer as an event stream, whose last message the answer becomes.
   * @returns undefined when the client cannot read one, or the answer has begun
   */
  openStream(headers: Readonly<Record<string, string>>): Outlet | undefined;
}

export interface DoorParts {
  readonly guard: GuardPorts;
  readonly tools: ReadonlyMap<string, AnyTool>;
  readonly resources: readonly ResourceTemplate[];
  readonly serverInfo: ServerInfo;
  readonly others: OtherMethods;
  readonly ledger: CallLedger;
  readonly streams: Streams;
  /** which lists change while the server runs; none unless given */
  readonly changes?: Changes;
  /** which requests are answered; those of a server with tools and resources unless given */
  readonly methods?: Methods;
  readonly neighbourhood: Neighbourhood;
  /** RFC 9728 §5.1, and the scopes to ask for first */
  readonly challenge: { readonly resourceMetadata: string; readonly scopes: readonly string[] };
  /** of one request's body; 1 MiB unless given */
  readonly maxBodyBytes?: number;
  readonly log: Log;
}

const MAX_BODY = 1024 * 1024;
/** A key is a name; the longest text is the largest attachment (700 KiB) as base64. UTF-16 units. */
const JSON_BOUNDS = { maxDepth: 32, maxKeys: 10_000, maxKeyLength: 256, maxTextLength: 960 * 1024 };
const MAX_ID = 256;

/** One request on its way through: what the two doors learn of it, and what its answer will need. */
class Passage implements Waiting, AttemptLog {
  readonly record: CallRecord;
  /** the parsed body, as soon as there is one */
  body?: unknown;
  message?: Message;
  /** the answer is an event stream by now, so that its status has been said */
  streaming = false;
  /** why the stream of the answer was cut, if it was */
  ended?: Refusal;
  #exchange?: CallExchange;

  constructor(
    readonly inbound: Inbound,
    private readonly parts: DoorParts,
  ) {
    this.record = openRecord(inbound);
  }

  get exchange(): CallExchange {
    const { methods = METHODS } = this.parts;
    return (this.#exchange ??= new CallExchange(this.message!, 'logging/setLevel' in methods, () => this.#open()));
  }

  /** Nothing more is told but the answer. */
  hush(): void {
    this.#exchange?.close();
  }

  #open(): Outlet | undefined {
    const outlet = this.inbound.openStream(leavingHeaders(this, this.parts));
    if (outlet === undefined) return undefined;
    this.streaming = true;
    this.parts.streams.watch(this.record.caller!, outlet, (why) => {
      // a server that stops lets calls under way finish
      if (why === undefined) return;
      this.ended = why;
      outlet.cut();
    });
    return outlet;
  }

  isGone(): boolean {
    return this.inbound.isGone();
  }

  attempted(): Promise<string> {
    return this.parts.ledger.attempted(this.record, this.inbound);
  }
}

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
        answer = leaving(passage.record, answer!);
      }
    }
    return answer;
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

function readOperation(passage: Passage, parts: DoorParts): Promise<Operation> {
  const { inbound, record } = passage;
  const { contentType = '', contentEncoding = 'identity' } = inbound;
  const isJson = contentType === 'application/json' || isJsonContentType(contentType);
  if (!isJson || contentEncoding !== 'identity') throw new Refusal('media_type_unsupported');
  return inbound.readBody(parts.maxBodyBytes ?? MAX_BODY, record.slot!).then((text) => asked(text, passage, parts));
}

function asked(
  text: string,
  passage: Passage,
  { tools, resources, methods, maxBodyBytes = MAX_BODY }: DoorParts,
): Operation {
  const { inbound, record } = passage;
  const body = (passage.body = parsed(text, maxBodyBytes));
  if (String(answerId(body)).length > MAX_ID) {
    passage.body = undefined;
    throw new Refusal('request_invalid', {}, { detail: 'a very long id' });
  }
  const message = (passage.message = messageOf(body, inbound.headers));
  record.asked = askedOf(message);
  const operation = operationOf(message, tools, resources, methods);
  if (operation.kind === 'tool' && message.era === 'modern') {
    requireParamHeaders(operation.tool, operation.args, inbound);
  }
  return operation;
}

function parsed(text: string, maxBytes: number): unknown {
  try {
    return parseJson(text, { ...JSON_BOUNDS, maxBytes });
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw new Refusal(
      error.problem === 'too_large' ? 'body_too_large' : 'json_malformed',
      {},
      { detail: error.problem },
    );
  }
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

const refused = ({ inbound, record, body }: Passage, refusal: Refusal, { challenge }: DoorParts): Answer =>
  refusalAnswer(
    refusal,
    { id: answerId(body), era: eraOf(body, inbound.headers), correlationId: record.correlationId },
    { ...challenge, ...(record.caller?.jkt !== undefined && { scheme: 'DPoP' as const }) },
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
    return withCors(refused(passage, new Refusal('overloaded', { retryAfterMs: 1000 }), parts), inbound, parts);
  }
  return withCors(withNonce(answer, record), inbound, parts);
}

/** An answer larger than this is waiting for its client to take it, and the call keeps its slot until then. UTF-16 units. */
const LARGE_ANSWER = 16 * 1024;

/** Gives the slot back exactly once: now, when a large answer was taken, or when a tool that was given up has ended. */
function leaving({ slot, unfinished }: CallRecord, answer: Answer): Answer {
  if (slot === undefined) return answer;
  if (unfinished !== undefined) void unfinished.then(() => slot.leave());
  else if (answer.body !== undefined && answer.body.length > LARGE_ANSWER) return { ...answer, slot };
  else slot.leave();
  return answer;
}

/** The headers of an answer that begins before it is known. */
const leavingHeaders = ({ record, inbound }: Passage, parts: DoorParts): Answer['headers'] =>
  withCors(withNonce({ status: 200, headers: {}, body: undefined }, record), inbound, parts).headers;

/** A caller whose nonce is about to lapse gets the next one, whatever became of its call (RFC 9449 §8.2). */
const withNonce = (answer: Answer, { dpopNonce }: CallRecord): Answer =>
  dpopNonce === undefined ? answer : { ...answer, headers: { ...answer.headers, 'DPoP-Nonce': dpopNonce } };

function tell({ correlationId, refusal }: CallRecord, log: Log): void {
  if (refusal === undefined) return;
  const ours = refusal.code === 'internal' || refusal.code === 'tool_failed';
  const facts = { correlationId, code: refusal.code, detail: refusal.detail, error: refusal.cause };
  if (ours) log.error('a call failed', facts);
  else log.debug('a call was refused', facts);
}

/** Lets a page of an allowed origin read the answer, refusals included. */
function withCors(answer: Answer, { origin }: Inbound, { neighbourhood }: DoorParts): Answer {
  if (origin === undefined || !neighbourhood.originAllowed(origin)) return answer;
  return { ...answer, headers: { ...answer.headers, ...corsHeaders(origin) } };
}
