import { NotDone, WrongUse } from '../faults.js';
import type { VerbPorts } from '../verb.js';
import { bootstrap } from './bootstrap.js';

const LINK = 'https://auth.example/bootstrap/token';
function run(answer: { code: number; out?: string; err?: string }, ready?: object) {
  const notes: string[] = [];
  const ports = {
    makeBootstrapLink: async () => ({ out: '', err: '', ...answer }),
    place: async () => {
      if (ready === undefined) throw new WrongUse('No gate found.');
      return { ready };
    },
    note: (line: string) => void notes.push(line),
  } as unknown as VerbPorts;
  return { notes, done: bootstrap.run({}, ports) };
}

test('the link is all that is printed', async () => {
  const { done, notes } = run({ code: 0, out: LINK });
  expect(await done).toEqual({ json: { link: LINK }, text: LINK });
  expect(notes).toEqual([expect.stringMatching(/once, within 30 minutes/)]);
});

test('where an administrator exists it is not done', async () => {
  const { done } = run({ code: 1, err: 'There is an administrator already.' });
  await expect(done).rejects.toThrow(NotDone);
  await expect(done).rejects.toThrow('There is an administrator already.');
});

test('settings that are wrong are wrong use, in the words of the service', async () => {
  const { done } = run({ code: 2, err: 'Cannot start: 1 setting is wrong.' });
  await expect(done).rejects.toThrow(WrongUse);
  await expect(done).rejects.toThrow('Cannot start: 1 setting is wrong.');
});

test('beside an embedded gate it says who the administrator is there', async () => {
  await expect(run({ code: 2, err: 'Cannot start.' }, { admin: '/x/admin.json' }).done).rejects.toThrow(
    /embedded mode and has an administrator already/,
  );
});

test('it takes nothing on the command line, where others could read it', () => {
  expect([bootstrap.options, bootstrap.argument]).toEqual([[], undefined]);
});
