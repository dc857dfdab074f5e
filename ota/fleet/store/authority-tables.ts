/** Tables of `ota/fleet/`: authority. */
export type AuthorityTables = Record<never, never>;
