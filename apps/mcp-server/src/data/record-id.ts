/** Numbers below this are left to the demo rows. */
export const FIRST_NUMBER = 100_001;

/** `T-` for tickets, `A-` for attachments, `M-` for mailings, and at least 6 digits. */
export const recordId = (letter: 'T' | 'A' | 'M', number: number): string =>
  `${letter}-${String(number).padStart(6, '0')}`;
