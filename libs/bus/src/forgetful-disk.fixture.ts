import { fstatSync, statSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import { asKilled, segmentsIn } from './outbox.fixture.js';
import { nodeDisk, type Disk } from './spool.file.js';

/** For specs: a disk that knows how much of each file (by inode) survives a power failure, and syncs as slowly as it is told to. */
export class ForgetfulDisk implements Disk {
  readonly #synced = new Map<number, number>();
  /** no sync ends until {@link letGo} */
  slow = false;
  /** how long each takes */
  delayMs = 0;
  readonly #waiting: (() => void)[] = [];

  readonly writeSync = nodeDisk.writeSync;
  readonly ftruncateSync = nodeDisk.ftruncateSync;

  async fdatasync(fd: number): Promise<void> {
    // what is written while a sync is under way is not promised
    const { ino, size } = fstatSync(fd);
    if (this.slow) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    this.#synced.set(ino, Math.max(this.#synced.get(ino) ?? 0, size));
  }

  fdatasyncSync(fd: number): void {
    const { ino, size } = fstatSync(fd);
    this.#synced.set(ino, size);
  }

  letGo(): void {
    for (const end of this.#waiting.splice(0)) end();
  }

  /**
   * Copies a directory as the disk would have it after a power failure now.
   * @param kept how much of what was not synced is there all the same, 0 to 1
   */
  afterPowerFailure(dir: string, kept = 0): string {
    const copy = asKilled(dir);
    for (const path of segmentsIn(copy)) {
      const { size } = statSync(path);
      const synced = this.#synced.get(statSync(join(dir, basename(path))).ino) ?? 0;
      truncateSync(path, Math.floor(synced + (size - synced) * kept));
      // the machine starts anew from it, so that it is on the disk
      const { ino, size: left } = statSync(path);
      this.#synced.set(ino, left);
    }
    return copy;
  }
}
