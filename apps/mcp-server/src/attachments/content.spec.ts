import { contentOf, MAX_CONTENT } from './content.js';
import { jpeg, jpegComment, objectStream, pdf, png, pngText, zip } from './files.fixture.js';
import { inflate } from './inflate.memory.js';

const text = (words: string): Buffer => Buffer.from(words);
const joined = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

it.each([
  ['a PNG', png(), 'image/png'],
  ['a PNG with a comment', png(pngText('taken on Monday')), 'image/png'],
  ['a JPEG', jpeg(), 'image/jpeg'],
  ['a JPEG with a comment', jpeg(jpegComment('hello')), 'image/jpeg'],
  ['a PDF', pdf(), 'application/pdf'],
  ['a PDF with objects in a stream', pdf(objectStream('4 0 << /Type /Page >>')), 'application/pdf'],
  ['a PDF with two of them', pdf(objectStream('4 0 <<>>').repeat(2)), 'application/pdf'],
  ['a PDF that opens at a page', pdf('', '/OpenAction [2 0 R /Fit] '), 'application/pdf'],
  ['plain text', text('Grüße, 世界 😀\r\n\tline 2\n'), 'text/plain'],
  ['text that begins like a bitmap', text('BMW, the blue one'), 'text/plain'],
  ['text with angles in it', text('a < b and <name> is <b>bold</b>'), 'text/plain'],
  ['the largest', Buffer.alloc(MAX_CONTENT, 'a'), 'text/plain'],
] as const)('%s is taken for what it is', async (_what, bytes, type) => {
  expect(await contentOf(bytes, inflate)).toEqual({ type });
});

it.each([
  ['nothing', Buffer.alloc(0), /empty/],
  ['one byte too many', Buffer.alloc(MAX_CONTENT + 1, 'a'), /at most/],
  ['a ZIP', zip(), /must be a PDF/],
  ['a GIF', joined('GIF89a', Buffer.alloc(20)), /must be a PDF/],
  ['a program', joined('\x7fELF\x02\x01\x01', Buffer.alloc(60)), /must be a PDF/],
  ['a gzip', joined('\x1f\x8b\x08', Buffer.alloc(20)), /must be a PDF/],
  ['binary data', Buffer.from([1, 2, 3, 250, 251]), /must be a PDF/],
  ['text with a NUL', text('a\0b'), /must be a PDF/],
  ['text that is no UTF-8', Buffer.from([0x61, 0xff, 0x61]), /must be a PDF/],
  ['text of escape sequences', text('\u001b[31mred'), /must be a PDF/],
  ['text with hidden tags', text('hi \u{e0049}\u{e0047}'), /invisible/],
  ['HTML', text('<!DOCTYPE html><p>hi'), /must be/],
  ['a script later on', text('hello\n'.repeat(1000) + '<ScRiPt>alert(1)</script>'), /plain text/],
  ['SVG', text('<svg xmlns="http://www.w3.org/2000/svg"/>'), /must be/],
  ['SVG behind a comment', text('<!-- --><svg onload=alert(1)>'), /must be/],
  ['XML', text('<?xml version="1.0"?><a/>'), /must be/],
  ['RTF', text('{\\rtf1\\ansi hello}'), /must be a PDF/],
  ['PostScript', text('%!PS-Adobe-3.0\n/x 1 def'), /must be a PDF/],
  ['PHP', text('<?php echo 1;'), /plain text/],
  ['a shell script', text('#!/bin/sh\necho'), /must be|plain text/],
  ['a PDF behind text', text('hello %PDF-1.4'), /plain text/],
  ['a PNG with a ZIP behind it', joined(png(), zip()), /nothing behind/],
  ['a PNG with a ZIP inside', png(pngText(zip().toString('latin1'))), /archive/],
  ['a PNG with a RAR inside', png(pngText('Rar!\x1a\x07\x00')), /archive/],
  ['a PNG with a PDF inside', png(pngText('%PDF-1.4')), /another document/],
  ['a PNG with a page inside', png(pngText('<script>alert(1)</script>')), /page or a script/],
  ['a PNG with PHP inside', png(pngText('<?php system($_GET[0]);')), /page or a script/],
  ['a PNG cut off', png().subarray(0, -12), /whole picture/],
  ['a PNG of two', joined(png(), png()), /nothing behind/],
  ['a JPEG with a ZIP behind it', joined(jpeg(), zip()), /nothing behind/],
  ['a JPEG with a ZIP inside', jpeg(jpegComment(zip().toString('latin1'))), /archive/],
  ['a JPEG with a page inside', jpeg(jpegComment('<html ><body>')), /page or a script/],
  ['a JPEG cut off', jpeg().subarray(0, -2), /whole picture/],
  ['a PDF with a script', pdf('', '/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> '), /without scripts/],
  ['a PDF with its script spelled otherwise', pdf('', '/OpenAction << /S /J#61vaScript >> '), /without scripts/],
  ['a PDF that launches', pdf('', '/OpenAction << /S /Launch /F (cmd.exe) >> '), /without scripts/],
  ['a PDF with a file in it', pdf('', '/Names << /EmbeddedFiles 4 0 R >> '), /without scripts/],
  ['a PDF with XFA', pdf('', '/AcroForm << /XFA 4 0 R >> '), /without scripts/],
  ['a PDF whose script is compressed', pdf(objectStream('4 0 << /S /JavaScript /JS 5 0 R >>')), /without scripts/],
  ['a PDF with a bomb', pdf(objectStream(' '.repeat(5_000_000))), /objects can be read/],
  ['a PDF in another compression', pdf(objectStream('x', '/Filter /LZWDecode')), /objects can be read/],
  ['a PDF compressed twice', pdf(objectStream('x', '/Filter [/FlateDecode /FlateDecode]')), /objects can be read/],
  ['a PDF whose filter lies elsewhere', pdf(objectStream('x', '/Filter 9 0 R')), /objects can be read/],
  [
    'a PDF with a stream in a string',
    pdf(`4 0 obj (stream )\n${objectStream('4 0 <</JS 5 0 R>>')}`),
    /objects can be read/,
  ],
  ['a PDF that is encrypted', pdf('', '/Encrypt 9 0 R '), /not encrypted/],
  ['a PDF with a ZIP behind it', joined(pdf(), zip()), /archive/],
  ['a PDF with a page behind it', joined(pdf(), '<script>'), /page or a script/],
  ['a PDF with more behind it', joined(pdf(), 'more'), /whole PDF/],
  ['a PDF behind a byte order mark', joined('\xef\xbb\xbf', pdf()), /must be/],
] as const)('%s is refused', async (_what, bytes, says) => {
  const { problem } = await contentOf(bytes, inflate);
  expect(problem).toMatch(says);
});
