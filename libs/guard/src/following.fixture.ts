import { accessTokenClaims, callerOf, type Caller } from '@portcullis/scopes/caller';
import * as z from 'zod';
import type { CallRecord } from './call.js';
import type { Following } from './chain.js';
import { defineTool, type AnyTool } from './tool.js';

/** A caller of tenant acme, with claims over those of a plain machine. */
export const callerWith = (claims: object = {}): Caller =>
  callerOf(
    accessTokenClaims.parse({
      iss: 'i',
      aud: 'a',
      sub: 'c',
      client_id: 'c',
      jti: 'j',
      iat: 0,
      exp: 1_800_000_060,
      tenant: 'acme',
      scope: 'customer:read',
      ceiling: 'customer:read',
      ...claims,
    }),
  );

const record = (): CallRecord => ({ correlationId: 'c1', startedAt: 1_800_000_000_000, denial: false, stepsMs: {} });

/** A tool that does nothing, with what a test says of it. */
export const toolWith = (words: Partial<AnyTool> = {}): AnyTool =>
  ({
    ...defineTool({
      name: 'a_tool',
      description: '',
      scopes: ['customer:read'],
      effects: ['reads-pii'],
      limit: { perMinute: 60, llmTokens: 500 },
      input: z.looseObject({}),
      output: z.looseObject({}),
      execute: async () => ({}),
    }),
    ...words,
  }) as AnyTool;

export const followingWith = (claims: object = {}, tool: Partial<AnyTool> = {}): Following => ({
  caller: callerWith(claims),
  tool: toolWith(tool),
  record: record(),
});
