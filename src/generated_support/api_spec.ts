/** The VMM releases that the types describe. */
export interface ApiSpec {
  /** The oldest release that the client is tested with. */
  readonly oldest: string;
  /** The newest; what only it has is marked in the docstrings. */
  readonly newest: string;
  /** The upstream commit that `newest` stands for. */
  readonly commit: string;
}
