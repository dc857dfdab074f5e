/** Tables of `ota/fleet/`: release. */
export type ReleaseTables = Record<never, never>;
