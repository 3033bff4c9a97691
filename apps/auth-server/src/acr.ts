/**
 * How a person signed in (OpenID Connect Core 1.0 §2, `acr`; RFC 9470), weakest first: the claim of tokens, and
 * `acr_values_supported`.
 */
export const ACR = { password: 'urn:portcullis:acr:password' } as const;
