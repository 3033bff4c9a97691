import { eventHash } from '@portcullis/audit-schemas/digest';
import { closeSync, constants, fdatasync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Message } from './bus.js';
import { keyIn } from './outbox.js';
import { RecentBatches } from './recent-batches.js';
import { isSeal, sealOf, type Segment } from './segment.file.js';

/** The calls that can fail for want of a working disk; tests give their own. */
export interface Disk {
  writeSync(fd: number, bytes: Buffer, offset: number, length: number, position: number): number;
  ftruncateSync(fd: number, length: number): void;
  fdatasync(fd: number): Promise<void>;
  fdatasyncSync(fd: number): void;
}
export const nodeDisk: Disk = { writeSync, ftruncateSync, fdatasync: promisify(fdatasync), fdatasyncSync };

/** Events from the spool, in order. */
export interface Chunk {
  readonly messages: readonly Message[];
  /** how much of the spool they are */
  readonly bytes: number;
}

/** More than the longest line has. */
const CHUNK_BYTES = 256 * 1024;

/** A block of most file systems. Without a line end: were the process to die here, a torn line is all that is left. */
const PROBE = Buffer.alloc(4096);

/** Segments of one directory: written at the end, read and deleted at the beginning. */
export class Spool {
  /** the open file of the last segment */
  #fd: number | undefined;
  /** true while bytes of a failed write may lie behind the good ones */
  #dirty = false;
  /** the open file of the first segment, which is read batch by batch */
  #reading: FileHandle | undefined;
  #syncing: Promise<void> | undefined;
  /** A flush failed. The kernel says so once and then forgets, so nothing is certain until it was written again. */
  #failed: Error | undefined;
  readonly #recent = new RecentBatches();

  /**
   * @param segments in order; the last one is written to
   * @param offset   bytes of the first one that were read already
   */
  constructor(
    private readonly directory: string,
    private readonly segments: Segment[],
    private offset: number,
    private readonly segmentBytes: number,
    private readonly disk: Disk,
  ) {}

  /** Bytes that are not done with. What is left of a segment that is half done is on disk beyond that. */
  get bytes(): number {
    return this.segments.reduce((sum, { size }) => sum + size, -this.offset);
  }

  /**
   * Writes events, a line for each, and a seal on them; what is there survives the death of the process.
   * @param seq  sequence number of the first one
   * @param head SHA-256 (hex) of the last one
   * @throws when that failed; then nothing of it is there, now or later
   */
  write(messages: readonly Message[], seq: number, head: string): void {
    if (this.#failed) throw this.#failed;
    this.#cutBack();
    const segment = this.#writable(seq);
    const fd = (this.#fd ??= openSync(segment.path, constants.O_RDWR));
    const lines = Buffer.from(linesOf(messages, head));
    this.#dirty = true;
    try {
      this.#writeAll(fd, lines, segment.size);
    } catch (error) {
      this.#cutBack();
      throw error;
    }
    this.#dirty = false;
    const at = segment.size;
    segment.size += lines.length;
    this.#recent.add({ segment, at, end: segment.size, messages });
  }

  /**
   * Finds out whether the disk works again: writes what is taken away at once and, after a flush that failed, writes once
   * more what was not flushed, from memory, since nobody knows what the kernel has kept of it.
   * @throws when it does not
   */
  async probe(): Promise<void> {
    this.#cutBack();
    const segment = this.segments.at(-1);
    if (segment === undefined || this.#fd === undefined) return;
    this.#dirty = true;
    try {
      const written = this.disk.writeSync(this.#fd, PROBE, 0, PROBE.length, segment.size);
      if (written < PROBE.length) throw new Error('the disk has hardly any room');
    } finally {
      this.#cutBack();
    }
    if (this.#failed) await this.#writeAgain(this.#fd, segment);
  }

  async #writeAgain(fd: number, segment: Segment): Promise<void> {
    const batches = this.#recent.since(segment, segment.durable);
    if (batches === undefined) throw this.#failed;
    const { size } = segment;
    const lines = Buffer.from(
      batches.map(({ messages }) => linesOf(messages, eventHash(messages.at(-1)!.value))).join(''),
    );
    this.#writeAll(fd, lines, segment.durable);
    this.#syncing = this.disk.fdatasync(fd);
    await this.#syncing.finally(() => (this.#syncing = undefined));
    segment.durable = size;
    this.#failed = undefined;
  }

  /** Resolves when everything written before the call survives a power failure. One at a time. */
  async sync(): Promise<void> {
    if (this.#failed) throw this.#failed;
    const segment = this.segments.at(-1);
    if (segment === undefined || this.#fd === undefined) return;
    const { size } = segment;
    this.#syncing = this.disk.fdatasync(this.#fd);
    try {
      await this.#syncing;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#syncing = undefined;
    }
    segment.durable = Math.max(segment.durable, size);
  }

  /** The next events that are durable, about 256 KiB at most; undefined when there are none. */
  async read(): Promise<Chunk | undefined> {
    const first = this.segments[0];
    if (first === undefined || this.offset >= first.durable) return undefined;
    const until = Math.min(first.durable, this.offset + CHUNK_BYTES);
    const recent = this.#recent.from(first, this.offset, until);
    const last = recent.at(-1);
    if (last) return { messages: recent.flatMap(({ messages }) => messages), bytes: last.end - this.offset };
    return this.#readFile(first, until);
  }

  /** Notes that the last chunk is done with. @returns true when the first segment is, too, and can be dropped */
  advance({ bytes }: Chunk): boolean {
    this.offset += bytes;
    if (this.segments[0]) this.#recent.forget(this.segments[0], this.offset);
    return this.finished;
  }

  /** True when all of the first segment was read and it is no longer written to. */
  get finished(): boolean {
    const first = this.segments[0];
    return first !== undefined && this.segments.length > 1 && this.offset >= first.size;
  }

  /** Deletes the first segment. Where the chain goes on must have been saved before. */
  async drop(): Promise<void> {
    const first = this.segments.shift();
    this.offset = 0;
    await this.#stopReading();
    if (first) await unlink(first.path);
  }

  /** Everything written is durable afterwards. */
  async close(): Promise<void> {
    await this.#syncing?.catch(() => undefined);
    await this.#stopReading();
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  #writeAll(fd: number, lines: Buffer, at: number): void {
    for (let done = 0; done < lines.length;) {
      done += this.disk.writeSync(fd, lines, done, lines.length - done, at + done);
    }
  }

  /** The segment that the next lines belong into: the last one, or a new one when that is full. */
  #writable(seq: number): Segment {
    const last = this.segments.at(-1);
    if (last !== undefined && last.size < this.segmentBytes) return last;
    const path = join(this.directory, `${String(seq).padStart(15, '0')}.jsonl`);
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600);
    try {
      if (last !== undefined && this.#fd !== undefined) this.disk.fdatasyncSync(this.#fd);
      syncDirectory(this.directory);
    } catch (error) {
      closeSync(fd);
      throw this.#fail(error);
    }
    if (last !== undefined) last.durable = last.size;
    this.#retire();
    this.#fd = fd;
    const segment = { path, first: seq, size: 0, durable: 0 };
    this.segments.push(segment);
    return segment;
  }

  async #readFile(first: Segment, until: number): Promise<Chunk> {
    // no further than where what is remembered begins, so that the next read finds it
    const end = Math.min(until, this.#recent.startAfter(first, this.offset) ?? until);
    const bytes = Buffer.allocUnsafe(end - this.offset);
    this.#reading ??= await open(first.path, 'r');
    const { bytesRead: read } = await this.#reading.read(bytes, 0, bytes.length, this.offset);
    const lastLine = bytes.subarray(0, read).lastIndexOf(0x0a);
    if (lastLine < 0) throw new Error(`${first.path} has no whole line at byte ${this.offset}`);
    const lines = bytes
      .toString('utf8', 0, lastLine)
      .split('\n')
      .filter((line) => !isSeal(line));
    return { messages: lines.map((value) => ({ key: keyIn(value), value })), bytes: lastLine + 1 };
  }

  async #stopReading(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.close();
  }

  #fail(cause: unknown): Error {
    return (this.#failed = new Error('the spool could not be flushed to disk', { cause }));
  }

  /** Closes the file of a full segment, once no flush is under way on it. */
  #retire(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    if (this.#syncing)
      void this.#syncing.then(
        () => closeSync(fd),
        () => closeSync(fd),
      );
    else closeSync(fd);
  }

  /** Takes away what a failed write may have left. */
  #cutBack(): void {
    const segment = this.segments.at(-1);
    if (!this.#dirty || segment === undefined || this.#fd === undefined) return;
    this.disk.ftruncateSync(this.#fd, segment.size);
    this.#dirty = false;
  }
}

/** @param head SHA-256 (hex) of the last of them */
const linesOf = (messages: readonly Message[], head: string): string =>
  `${messages.map(({ value }) => `${value}\n`).join('')}${sealOf(head)}\n`;

/** Makes new names in a directory survive a power failure. Windows has no such thing, and needs none. */
export function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(directory, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
