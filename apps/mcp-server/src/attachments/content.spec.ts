import { deflateSync } from 'node:zlib';
import { contentOf, MAX_CONTENT } from './content.js';
import { jpeg, jpegComment, objectStream, pdf, png, pngText, zip } from './files.fixture.js';
import { inflate } from './inflate.memory.js';

const text = (words: string): Buffer => Buffer.from(words);
const joined = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

/** A PNG whose first bytes are at once the header of an archive of tapes, its sum of bytes in order. */
function tape(): Buffer {
  const file = png(pngText('\0'.repeat(2000)));
  file.write('00000000010\0', 124, 'latin1');
  file.fill(' ', 148, 156);
  file.write('ustar\x0000', 257, 'latin1');
  const sum = file.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  file.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return file;
}
/** A PNG with the descriptor of a volume at one of its places. */
function disc(at: number): Buffer {
  const filling = Buffer.alloc(0x9800);
  const before = png(pngText('')).indexOf('IDAT') - 8;
  filling.write('\x01CD001\x01', at - before - 1, 'latin1');
  return png(pngText(filling.toString('latin1')));
}
/** A JPEG that is a script as well: FF D8 FF E0 is a word in Latin-1, and a length of 2F2A opens a comment. */
const script = (app0: string): Buffer =>
  joined(
    '\xff\xd8\xff\xe0\x2f\x2a',
    app0.padEnd(0x2f2a - 2, 'A'),
    jpegComment('*/=1;alert(document.domain);/*'),
    jpeg().subarray(2, -2),
    '\xff\xfe\x00\x06*///\xff\xd9',
  );
const deflated = (objects: string): string => deflateSync(Buffer.from(objects, 'latin1')).toString('latin1');
const harmless = deflated('10 0 << /Type /Font >>');
const harmful = deflated('10 0 << /S /JavaScript /JS (app.alert\\(1\\)) >>');
/** What some readers take for an object stream all the same, since a table says that objects lie in it. */
const untyped = (objects: string, more = '/Filter /FlateDecode', n = '/N 1', first = '/First 4'): string =>
  `3 0 obj\n<<${n}${first} ${more}>>\nstream\n${deflated(objects)}\nendstream\nendobj\n`;
/** An object stream behind words in its own dictionary that look like another. */
const behind = (words: string): Buffer =>
  pdf(
    `3 0 obj\n<< /Type /ObjStm /N 1 /First 5 /Filter /FlateDecode ${words} /Length ${harmful.length} >>\nstream\n${harmful}\nendstream\nendobj\n`,
  );

it('has at most 700 KiB', () => {
  expect(MAX_CONTENT).toBe(716_800);
});

it.each([
  ['a PNG', png(), 'image/png'],
  ['a PNG with a comment', png(pngText('taken on Monday')), 'image/png'],
  ['a JPEG', jpeg(), 'image/jpeg'],
  ['a JPEG with a comment', jpeg(jpegComment('hello')), 'image/jpeg'],
  ['a PDF', pdf(), 'application/pdf'],
  ['a PDF with objects in a stream', pdf(objectStream('4 0 << /Type /Page >>')), 'application/pdf'],
  ['a PDF with two of them', pdf(objectStream('4 0 <<>>').repeat(2)), 'application/pdf'],
  ['a PDF with objects in a stream without a type', pdf(untyped('4 0 << /Type /Page >>')), 'application/pdf'],
  [
    'a PDF with a profile of colours, which has a number of them',
    pdf('4 0 obj\n<< /N 3 /Filter /ASCII85Decode >>\nstream\n~>\nendstream\nendobj\n'),
    'application/pdf',
  ],
  [
    'a PDF with the word stream in its title',
    pdf('4 0 obj\n<< /Title (A stream of news) >>\nendobj\n'),
    'application/pdf',
  ],
  ['a JPEG whose comment has signs', jpeg(jpegComment('1 < 2, <b>on</b> = yes; <?')), 'image/jpeg'],
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
  ['a short tag of PHP', text('<?=`$_GET[0]`?>'), /plain text/],
  ['text that an archive of tapes begins with', text('a'.repeat(257) + 'ustar  '), /archive/],
  ['a shell script', text('#!/bin/sh\necho'), /must be|plain text/],
  ['a PDF behind text', text('hello %PDF-1.4'), /plain text/],
  ['a PNG with a ZIP behind it', joined(png(), zip()), /nothing behind/],
  ['a PNG with a ZIP inside', png(pngText(zip().toString('latin1'))), /archive/],
  ['a PNG with a RAR inside', png(pngText('Rar!\x1a\x07\x00')), /archive/],
  ['a PNG with a PDF inside', png(pngText('%PDF-1.4')), /another document/],
  ['a PNG with a page inside', png(pngText('<script>alert(1)</script>')), /page or a script/],
  ['a PNG with PHP inside', png(pngText('<?php system($_GET[0]);')), /page or a script/],
  ['a PNG with a short tag of PHP inside', png(pngText('<?=`$_GET[0]`?>')), /page or a script/],
  ['a JPEG with a short tag of PHP inside', jpeg(jpegComment('<?=`$_GET[0]`?>')), /page or a script/],
  ['a PNG with an image that fails', png(pngText('<img src=x onerror=alert(1)>')), /page or a script/],
  ['a JPEG with an image that fails', jpeg(jpegComment('<img alt=">"/ONERROR =alert(1)>')), /page or a script/],
  ['a PNG with a body that loads', png(pngText('<body onload=alert(1)>')), /page or a script/],
  ['a PNG that is an archive of tapes', tape(), /archive/],
  ['a PNG that is a volume', disc(0x8001), /archive/],
  ['a PNG that is a volume by its second descriptor', disc(0x8801), /archive/],
  ['a PNG that is a volume by its third', disc(0x9001), /archive/],
  ['a JPEG that is a script', script(''), /whole picture/],
  ['a JPEG that is a script and says JFIF', script('JFIF\0\x01\x01\0\0\x01\0\x01\0\0'), /whole picture/],
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
  [
    'a PDF whose script is compressed in a stream without a type',
    pdf(untyped('4 0 << /S /JavaScript /JS 5 0 R >>')),
    /without scripts/,
  ],
  [
    'the same with its names spelled otherwise',
    pdf(untyped('4 0 << /S /JavaScript /JS 5 0 R >>', '/Filter /FlateDecode', '/#4e 1', '/Fi#72st 4')),
    /without scripts/,
  ],
  [
    'the same behind blanks that are none elsewhere',
    pdf(untyped('4 0 << /S /JavaScript /JS 5 0 R >>').replace('>>\nstream\n', '>>\0\0stream \n')),
    /objects can be read|without scripts/,
  ],
  [
    'the same with no end of its stream',
    pdf(untyped('4 0 << /S /JavaScript /JS 5 0 R >>').replace('endstream', '')),
    /objects can be read/,
  ],
  ['the same in another compression', pdf(untyped('x', '/Filter /LZWDecode')), /objects can be read/],
  ['a PDF with a bomb', pdf(objectStream(' '.repeat(5_000_000))), /objects can be read/],
  ['a PDF in another compression', pdf(objectStream('x', '/Filter /LZWDecode')), /objects can be read/],
  ['a PDF compressed twice', pdf(objectStream('x', '/Filter [/FlateDecode /FlateDecode]')), /objects can be read/],
  ['a PDF whose filter lies elsewhere', pdf(objectStream('x', '/Filter 9 0 R')), /objects can be read/],
  [
    'a PDF with a stream in a string',
    pdf(`4 0 obj (stream )\n${objectStream('4 0 <</JS 5 0 R>>')}`),
    /objects can be read/,
  ],
  ['a PDF with a stream in a text before it', behind(`/Note (stream\n${harmless}endstream)`), /objects can be read/],
  ['the same behind what ends a dictionary', behind(`/Note (>>\nstream\n${harmless}endstream)`), /objects can be read/],
  ['the same in a comment', behind(`%>>stream\n${harmless}endstream\n`), /objects can be read/],
  [
    'a PDF with a stream that no dictionary ends before',
    pdf('4 0 obj (stream\nendstream) endobj\n'),
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
