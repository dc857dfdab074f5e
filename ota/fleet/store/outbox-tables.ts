/** Tables of `ota/fleet/`: outbox. */
export type OutboxTables = Record<never, never>;
