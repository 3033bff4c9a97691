const MASKED_SSN = /^\*{3}-\*{2}-(\d{4}|\*{4})$/;
const MASKED_CARD = /^(\*{4}-){3}(\d{4}|\*{4})$/;

/** `123-45-6789` becomes `***-**-6789`; what is no social security number shows nothing of itself. Masking twice is masking once. */
export function maskSsn(value: string): string {
  if (MASKED_SSN.test(value)) return value;
  const digits = value.replace(/\D/g, '');
  return digits.length === 9 ? `***-**-${digits.slice(-4)}` : '***-**-****';
}

/** A card number of 12 to 19 digits becomes `****-****-****-1111`; what is none shows nothing of itself. */
export function maskCard(value: string): string {
  if (MASKED_CARD.test(value)) return value;
  const digits = value.replace(/\D/g, '');
  return digits.length >= 12 && digits.length <= 19 ? `****-****-****-${digits.slice(-4)}` : '****-****-****-****';
}
