import { deflateSync } from 'node:zlib';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function chunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, bytes(type), data, Buffer.alloc(4)]);
}
const SIGNATURE = bytes('\x89PNG\r\n\x1a\n');
const IHDR = chunk('IHDR', Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]));
const IDAT = chunk('IDAT', deflateSync(Buffer.from([0, 0])));
const IEND = chunk('IEND', Buffer.alloc(0));

/** One pixel, with `more` chunks before the data. */
export const png = (...more: Buffer[]): Buffer => Buffer.concat([SIGNATURE, IHDR, ...more, IDAT, IEND]);
export const pngText = (text: string): Buffer => chunk('tEXt', bytes(`Comment\0${text}`));

const segment = (marker: number, data: string): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length + 2);
  return Buffer.concat([Buffer.from([0xff, marker]), length, bytes(data)]);
};
/** Two scans of coded data with stuffed zeros and restarts, as far as markers go. */
export const jpeg = (...more: Buffer[]): Buffer =>
  Buffer.concat([
    bytes('\xff\xd8'),
    segment(0xe0, 'JFIF\0\x01\x01\0\0\x01\0\x01\0\0'),
    ...more,
    segment(0xda, '\x01\x01\0\0\x3f\0'),
    bytes('\x12\xff\0\x34\xff\xd0\x56'),
    segment(0xda, '\x01\x01\0\0\x3f\0'),
    bytes('\x78\xff\xff\xd9'),
  ]);
export const jpegComment = (text: string): Buffer => segment(0xfe, text);

/** A document of one empty page; `more` objects besides. */
export const pdf = (more = '', catalog = ''): Buffer =>
  bytes(
    `%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R ${catalog}>>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n${more}trailer\n<< /Root 1 0 R >>\n%%EOF\n`,
  );
export const objectStream = (objects: string, dictionary = '/Filter /FlateDecode'): string =>
  `3 0 obj\n<< /Type /ObjStm /N 1 /First 4 ${dictionary} >>\nstream\r\n${deflateSync(bytes(objects)).toString('latin1')}\nendstream\nendobj\n`;

/** An archive of one empty file, which readers find from its end. */
export const zip = (): Buffer =>
  Buffer.concat([
    bytes('PK\x03\x04\x14'),
    Buffer.alloc(25),
    bytes('PK\x01\x02'),
    Buffer.alloc(42),
    bytes('PK\x05\x06'),
    Buffer.alloc(18),
  ]);
