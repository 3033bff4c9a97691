import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';

/** Opens a URL for the person, and resolves with what their browser brings back to the redirect URI. */
export type Browse = (url: URL) => Promise<URLSearchParams>;

/** A person at one client that is registered already, as the MCP SDK wants it; everything is kept in memory. */
export class Person implements OAuthClientProvider {
  /** seconds; how fresh the next sign-in must be, where the server says so */
  maxAge: string | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #discovered: OAuthDiscoveryState | undefined;
  #verifier = '';
  #state = '';
  #asked: URL | undefined;

  constructor(
    private readonly client: OAuthClientInformationMixed,
    readonly redirectUrl: string,
    private readonly browse: Browse,
    /** asked for from the beginning, besides what the server names */
    private readonly scope?: string,
  ) {}

  get clientMetadata(): OAuthClientMetadata {
    const grants = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
    return { redirect_uris: [this.redirectUrl], ...grants, ...(this.scope !== undefined && { scope: this.scope }) };
  }
  clientInformation = () => this.client;
  tokens = () => this.#tokens;
  saveTokens = (tokens: StoredOAuthTokens) => void (this.#tokens = tokens);
  discoveryState = () => this.#discovered;
  saveDiscoveryState = (state: OAuthDiscoveryState) => void (this.#discovered = state);
  codeVerifier = () => this.#verifier;
  saveCodeVerifier = (verifier: string) => void (this.#verifier = verifier);
  state = () => (this.#state = crypto.randomUUID());
  redirectToAuthorization = (url: URL) => {
    if (this.maxAge !== undefined) url.searchParams.set('max_age', this.maxAge);
    this.#asked = url;
  };

  /** @throws Error when the person said no, or when what came back is no answer to what was asked */
  async signedIn(): Promise<URLSearchParams> {
    const back = await this.browse(this.#asked!);
    // the SDK leaves this to the application (RFC 6749 §10.12)
    if (back.get('state') !== this.#state) throw new Error('an answer to another question');
    if (back.get('code') === null) throw new Error(`not signed in: ${back.get('error')}`);
    return back;
  }
}
