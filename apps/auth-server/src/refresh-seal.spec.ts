import { artefactHash } from './artefacts.js';
import { openSuccessor, sealSuccessor } from './refresh-seal.js';

test('a sealed successor opens with the token that was exchanged for it, and with nothing that is stored', async () => {
  const sealed = await sealSuccessor('the presented token', 'the successor');
  expect(await openSuccessor('the presented token', sealed)).toBe('the successor');
  expect(sealed).not.toContain('the successor');
  for (const other of ['the successor', artefactHash('the presented token'), ''])
    await expect(openSuccessor(other, sealed)).rejects.toThrow('decryption operation failed');
  await expect(openSuccessor('the presented token', sealed.slice(0, -3) + 'AAA')).rejects.toThrow();
});

test('the same pair sealed twice looks different', async () => {
  expect(await sealSuccessor('a', 'b')).not.toBe(await sealSuccessor('a', 'b'));
});
