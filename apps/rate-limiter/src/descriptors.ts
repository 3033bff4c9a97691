import type { LimitQuestion } from '@portcullis/contract/limits';
import { Refusal } from '@portcullis/contract/refusals';
import { issuesOf } from '@portcullis/service/problem';
import * as z from 'zod';
import type { Asker } from './asker.js';
import { questionOf } from './question.js';

/** What Envoy asks: `envoy.service.ratelimit.v3.RateLimitRequest`, as protobufjs reads it; what was not sent is null or 0. */
export interface RateLimitRequest {
  readonly domain: string;
  readonly descriptors: readonly Descriptor[];
  readonly hitsAddend: number;
}
export interface Descriptor {
  readonly entries: readonly { readonly key: string; readonly value: string }[];
  readonly limit: object | null;
  readonly hitsAddend: { readonly value: number } | null;
}

/** One descriptor as a question, and what its request is known to have used. */
export interface Asked {
  readonly question: LimitQuestion & { readonly tenant: string };
  readonly llmTokens: number;
  readonly costMicros: number;
}

/** One question each. */
const MOST_DESCRIPTORS = 8;
/** Instead of a number: the request's hits_addend, or the descriptor's own. */
const HITS = 'hits_addend';

/** What an entry says, by its key. Adding one is adding a row. */
export const KEYS: Readonly<Record<string, keyof LimitQuestion>> = {
  principal: 'principal',
  tool: 'tool',
  user: 'user',
  chain: 'chain',
  address: 'address',
  // what Envoy's action of that name sends
  remote_address: 'address',
  stage: 'stage',
  llm_tokens: 'llmTokens',
  cost_micros: 'costMicros',
};

/**
 * The questions that Envoy's descriptors ask. The domain names a tenant, and only to whom all are open is it more than a
 * repetition of the caller's own; empty = the caller's own.
 * @throws Refusal input_invalid naming the descriptor and the key; ApiProblem 403 for another tenant
 */
export function questionsOf(request: RateLimitRequest, asker: Asker): readonly Asked[] {
  const { domain, descriptors, hitsAddend } = request;
  if (descriptors.length === 0) throw invalid('descriptors: is empty');
  if (descriptors.length > MOST_DESCRIPTORS) throw invalid(`descriptors: are more than ${MOST_DESCRIPTORS}`);
  return descriptors.map((descriptor, i) => {
    try {
      return askedBy(descriptor, domain, hitsAddend, asker);
    } catch (error) {
      throw naming(error, i);
    }
  });
}

function askedBy(descriptor: Descriptor, domain: string, requestHits: number, asker: Asker): Asked {
  if (descriptor.limit !== null) throw invalid('limit: is not for callers to set');
  const hits = descriptor.hitsAddend?.value ?? (requestHits === 0 ? undefined : requestHits);
  const question: Record<string, unknown> = domain === '' ? {} : { tenant: domain };
  let hitsTaken = false;
  for (const { key, value } of descriptor.entries) {
    const name = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (name === undefined) throw invalid(`${shown(key)}: is no key that is known here`);
    if (value.includes('\uFFFD')) throw invalid(`${key}: is not UTF-8`);
    if (name === 'chain') {
      question[name] = [...((question[name] as string[] | undefined) ?? []), value];
      continue;
    }
    if (name in question) throw invalid(`${key}: is there twice`);
    if (name !== 'llmTokens' && name !== 'costMicros') question[name] = value;
    else if (value === HITS) [question[name], hitsTaken] = [hits ?? 1, true];
    else if (/^\d{1,10}$/.test(value)) question[name] = Number(value);
    else throw invalid(`${key}: must be a whole number, or ${HITS}`);
  }
  if (!hitsTaken && hits !== undefined && hits !== 1) {
    throw invalid(`${HITS}: a descriptor is one request. Say what is counted, by llm_tokens or cost_micros: ${HITS}`);
  }
  const asked = questionOf(asker, question);
  return { question: asked, llmTokens: asked.llmTokens ?? 0, costMicros: asked.costMicros ?? 0 };
}

const invalid = (issue: string): Refusal => new Refusal('input_invalid', { issues: [issue] });
/** Keys are the caller's own words; of a very long one the beginning tells. */
const shown = (key: string): string => JSON.stringify(key.slice(0, 64));

const KEY_OF: Readonly<Record<string, string>> = {
  tenant: 'domain',
  llmTokens: 'llm_tokens',
  costMicros: 'cost_micros',
};

/** The same, saying where. */
function naming(error: unknown, at: number): unknown {
  const issues =
    error instanceof z.ZodError
      ? issuesOf(error).map((issue) => issue.replace(/^\w+/, (name) => KEY_OF[name] ?? name))
      : error instanceof Refusal
        ? error.facts.issues
        : undefined;
  return issues === undefined
    ? error
    : new Refusal('input_invalid', { issues: issues.map((each) => `descriptors[${at}].${each}`) });
}
