/** What bounds the agent beyond what an order says. */
export type AgentLimits = {
	/** Starts of the agent within one phase without progress, after which the order has failed. */
	readonly restartsMax: number;
	/** Changes of state that one order may cost; more is an error that feeds itself. */
	readonly stepsMax: number;
	/** Attempts at ordering a reboot, and at marking a slot. */
	readonly attemptsMax: number;
	/** For one call of the installer that is no installation: reading or marking slots. */
	readonly slotTimeoutMs: number;
	readonly retryInitialMs: number;
	readonly retryMaxMs: number;
	/** Room that must stay free beside a bundle. */
	readonly roomReserveBytes: number;
	/** How often a clock that decides (window, start time) is looked at. */
	readonly waitMaxMs: number;
};

export const agentLimits: AgentLimits = {
	restartsMax: 5,
	stepsMax: 500,
	attemptsMax: 3,
	slotTimeoutMs: 60_000,
	retryInitialMs: 30_000,
	retryMaxMs: 3_600_000,
	roomReserveBytes: 32 * 1024 ** 2,
	waitMaxMs: 60_000,
};
