/** The VMM releases that the types describe. */
export interface ApiSpec {
  /** The oldest release that the client is tested with. */
  readonly oldest: string;
  /**
   * The newest release that the client is tested with. Docstrings mark fields
   * and operations that only this release has.
   */
  readonly newest: string;
  /** The upstream commit that `newest` stands for. */
  readonly commit: string;
}
