/** Numbers below this are left to the demo rows. */
export const FIRST_TICKET = 100_001;

/** `T-` and at least 6 digits. */
export const ticketIdOf = (number: number): string => `T-${String(number).padStart(6, '0')}`;
