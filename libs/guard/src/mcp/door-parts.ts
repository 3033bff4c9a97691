import type { Log } from '@portcullis/contract/log';
import type { GuardPorts } from '../pipeline.js';
import type { AnyTool } from '../tool.js';
import type { Changes } from './changes.js';
import type { CallLedger } from './ledger.js';
import type { Neighbourhood } from './origins.js';
import type { OtherMethods } from './other-methods.js';
import type { Methods, ServerInfo } from './protocol.js';
import type { ResourceTemplate } from './resources.js';
import type { Streams } from './streams.js';

/** What the door works with. */
export interface DoorParts {
  readonly guard: GuardPorts;
  readonly tools: ReadonlyMap<string, AnyTool>;
  readonly resources: readonly ResourceTemplate[];
  readonly serverInfo: ServerInfo;
  readonly others: OtherMethods;
  readonly ledger: CallLedger;
  readonly streams: Streams;
  /** which lists change while the server runs; none unless given */
  readonly changes?: Changes;
  /** which requests are answered; those of a server with tools and resources unless given */
  readonly methods?: Methods;
  readonly neighbourhood: Neighbourhood;
  /** RFC 9728 §5.1, and the scopes to ask for first */
  readonly challenge: { readonly resourceMetadata: string; readonly scopes: readonly string[] };
  /** of one request's body; 1 MiB unless given */
  readonly maxBodyBytes?: number;
  /** from 0 up to 1: spreads those who are told to come back at one time; nobody is spread unless given */
  readonly random?: () => number;
  readonly log: Log;
}
