/** Where messages go while the answer to a request is still being made: an event stream, once it was opened. */
export interface Outlet {
  /**
   * Sends one JSON-RPC message. A client that does not read is sent no more than a bound, and misses the rest.
   * @returns false when the message was left out
   */
  send(message: object): boolean;
  /** a comment, which keeps what lies between from closing an idle connection */
  keepAlive(): void;
  /** closes the stream behind what was sent */
  end(): void;
  /** closes it at once; nobody gets an answer */
  cut(): void;
  /** called once, when the stream is closed by whichever side; at once when it is closed already */
  onClosed(then: () => void): void;
}
