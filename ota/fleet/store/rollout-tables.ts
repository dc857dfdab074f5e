/** Tables of `ota/fleet/`: rollout. */
export type RolloutTables = Record<never, never>;
