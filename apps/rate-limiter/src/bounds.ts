/** Bytes of a body, or of a gRPC message. Several times what the longest question takes. */
export const MAX_BODY = 16 * 1024;
