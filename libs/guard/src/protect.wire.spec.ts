import { silentLog } from '@portcullis/contract/log';
import * as z from 'zod';
import { noteTool } from './protect.fixture.js';
import { protect, type ProtectOptions } from './protect.wire.js';
import type { AnyTool } from './tool.js';

const tool = noteTool('echo');
const OPTIONS: ProtectOptions = {
  issuer: 'https://id.example',
  resource: 'https://tools.example/mcp',
  tools: [tool],
  log: silentLog,
};

test('it ends as often as it is told to', async () => {
  const gate = protect(OPTIONS);
  await Promise.all([gate.close(), gate.close()]);
});

test.each<[string, Partial<ProtectOptions>, RegExp]>([
  [
    'a tool that wants a yes where nobody can give one',
    { tools: [{ ...tool, approvals: 1 } as AnyTool] },
    /nobody can approve calls of echo/,
  ],
  [
    'a tool whose output says nothing of what is in it',
    { tools: [noteTool('notes', { output: z.object({ all: z.unknown() }) })] },
    /output of notes cannot be looked through: .*unknown/,
  ],
  ['two tools of one name', { tools: [tool, tool] }, /same name/],
  ['a tenant that is no slug', { tenant: 'Not A Slug' }, /slug/],
  ['a proxy that is no address', { trustedProxies: ['proxy.example'] }, /address/],
  ['a resource that is no URL', { resource: '/mcp' }, /URL/],
  ['a budget for nobody', { customerBudget: { perHour: 0 } }, /1 to 10,000/],
  ['a budget that is no number', { customerBudget: { perTask: NaN } }, /1 to 10,000/],
])('%s does not start', (_what, options, says) => {
  expect(() => protect({ ...OPTIONS, ...options })).toThrow(says);
});
