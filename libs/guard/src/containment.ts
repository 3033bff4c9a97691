import type { SignedTopic, Signer } from '@portcullis/contract/containment';
import type { JSONWebKeySet } from 'jose';
import type { StatementSigner } from './statement.js';
import type { SigningKeys } from './token.js';

/** Whose statements are believed. */
export interface Trust {
  keysOf(topic: SignedTopic): SigningKeys;
}

/** The trust in the signers, and one of them itself. */
export interface Containment<S extends Signer> extends Trust {
  readonly signers: Readonly<Record<S, StatementSigner>>;
}

/** What auth-server has: it publishes the keys of every signer, so that replicas need to know no other address. */
export interface PublishingContainment extends Containment<'auth-server'> {
  readonly publicKeys: Readonly<Record<Signer, JSONWebKeySet>>;
}

/** All signers in one process. */
export type AllContainment = PublishingContainment & Containment<Signer>;
