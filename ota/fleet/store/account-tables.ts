/** Tables of `ota/fleet/`: account. */
export type AccountTables = Record<never, never>;
