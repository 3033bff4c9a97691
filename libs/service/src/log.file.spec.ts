import { Secret } from '@portcullis/contract/secret';
import { createLog } from './log.file.js';
import type { LogLevel } from './log.js';

const logged = (level: LogLevel, use: (log: ReturnType<typeof createLog>) => void): Record<string, any>[] => {
  const lines: string[] = [];
  use(createLog('test', level, { write: (line: string) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line));
};

test('a line is JSON with level, time, service, message and facts', () => {
  const [line] = logged('info', (log) => log.info('started', { port: 4400 }));
  expect(line).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    service: 'test',
    msg: 'started',
    port: 4400,
  });
});

test('what is below the level is not written', () => {
  expect(logged('warn', (log) => log.info('no'))).toEqual([]);
  expect(logged('silent', (log) => log.error('no'))).toEqual([]);
});

test.each([
  ['a Secret', { key: new Secret('hunter2') }],
  ['a fact of a hidden name', { password: 'hunter2' }],
  ['a header', { headers: { authorization: 'Bearer hunter2', 'set-cookie': 'hunter2' } }],
  ['a claim two levels down', { request: { body: { client_secret: 'hunter2', access_token: 'hunter2' } } }],
])('%s does not reach the log', (_what, facts) => {
  const [line] = logged('debug', (log) => log.debug('x', facts));
  expect(JSON.stringify(line)).toContain('[secret]');
  expect(JSON.stringify(line)).not.toContain('hunter2');
});

test('the fields of an error stay out: a database puts parameters and rows there', () => {
  const error = Object.assign(new Error('x'), { code: '23505', params: ['hunter2'], detail: 'Key (a)=(hunter2)' });
  const [line] = logged('error', (log) => log.error('x', { error, err: error }));
  expect(line!.error).toMatchObject({ message: 'x', code: '23505' });
  expect(JSON.stringify(line)).not.toContain('hunter2');
});

test('an error keeps its type, its stack and its cause for us', () => {
  const [line] = logged('error', (log) =>
    log.error('x', { error: new TypeError('outer', { cause: new Error('inner') }) }),
  );
  expect(line!.error).toMatchObject({ type: 'TypeError', message: expect.stringContaining('outer') });
  expect(line!.error.stack).toContain('inner');
});
