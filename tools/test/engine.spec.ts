import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { IMAGES } from './engine.mjs';

test('every image that container specs use is one that can be made where none can be pulled', () => {
  const script = join(import.meta.dirname, '../offline-images/images.sh');
  const made = execFileSync('bash', [script, '--list'], { encoding: 'utf8' }).split('\n');
  expect(made).toEqual(expect.arrayContaining(Object.values(IMAGES)));
});
