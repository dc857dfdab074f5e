/** Tables of `ota/fleet/`: alert. */
export type AlertTables = Record<never, never>;
