#!/usr/bin/env node
// The npm bin. Committed as it is, so that it can say what is missing before anything is built.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
const major = Number(process.versions.node.split('.')[0]);
const missing =
  major < 24
    ? `portcullis needs Node 24 and this is ${process.versions.node}: run it as 'npx portcullis', which brings its own.`
    : !existsSync(main)
      ? "portcullis is not built yet: run 'npm start' or 'npm run build' once."
      : undefined;

if (missing === undefined) {
  await import(main.href);
} else {
  console.error(missing);
  process.exitCode = 2;
}
