import { hash } from 'node:crypto';

/** Longer ids are kept as their digest. UTF-16 units. */
const MAX_ID = 64;

/** An id of any length as it is kept where there may be many: short ones as they are, long ones as their SHA-256. */
export const boundedId = (id: string): string => (id.length <= MAX_ID ? id : `#${hash('sha256', id, 'base64url')}`);
