import { execFileSync } from 'node:child_process';
import { completionScript, SHELLS } from './completion.js';
import { globalOptions } from './verb.js';
import { VERBS } from './verbs.js';

const script = (shell: (typeof SHELLS)[number]) => completionScript(shell, VERBS, globalOptions);

/** What bash offers when Tab is pressed at the end of these words. */
function offered(...words: string[]): string[] {
  const ask = `${script('bash')}
COMP_WORDS=(portcullis "$@"); COMP_CWORD=$#; _portcullis; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', ask, 'bash', ...words], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
}

test('bash offers the verbs first', () => {
  const firsts = [...new Set(VERBS.map(({ name }) => name.split(' ')[0]))];
  expect(offered('')).toEqual([...firsts, '--json', '--url', '--ready-file', '--data', '--help']);
  expect(offered('dem')).toEqual(['demo']);
});

test('bash offers second words, options and choices, also behind an option with a value', () => {
  expect(offered('agent', 're')).toEqual(['release']);
  expect(offered('--data', 'agent', 'agent', 'q')).toEqual(['quarantine']);
  expect(offered('agent', 'release', '--rea')).toEqual(['--reason', '--ready-file']);
  expect(offered('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  expect(offered('no', 'such', '')).toEqual([]);
});

test.each(SHELLS)('the script for %s knows every verb and every option', (shell) => {
  for (const { name, options } of VERBS) {
    for (const word of name.split(' ')) expect(script(shell)).toContain(word);
    for (const { flags } of options) expect(script(shell)).toContain(flags.split(' ')[0]);
  }
});
