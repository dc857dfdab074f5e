/** Tables of `ota/fleet/`: command. */
export type CommandTables = Record<never, never>;
