/** What one process of simulated boxes counts; totals since its start but for `connected`. */
export type SimulatorStats = {
	connected: number;
	published: number;
	puback: number;
	/** Records of the spool, for comparison with the database's rows. */
	telemetry: number;
	events: number;
	closed: number;
	/** Update orders that were begun, and those that reached `confirmed`. */
	ordered: number;
	updated: number;
	/** From publishing an event to the fleet's acknowledgement, which follows its commit. Drained when told. */
	latencyMs: number[];
	lastError: string;
};

export type SimulatedIdentity = {readonly id: string; readonly certificatePem: string};

/** To a simulator's process: the boxes that have waited come too. */
export type SimulatorContinue = {readonly kind: 'continue'};

/** To a simulator's process. */
export type SimulatorOrder = {
	readonly kind: 'start';
	/** Boxes that come at once; the others wait for the word. */
	readonly firstBoxes: number;
	readonly host: string;
	readonly port: number;
	readonly caPem: string;
	/** One key for all: what costs a broker is the handshake, not whose key it is. */
	readonly keyPem: string;
	readonly identities: readonly SimulatedIdentity[];
	readonly release: string;
	readonly telemetryIntervalMs: number;
	readonly updateMs: number;
	readonly connectPerSecond: number;
};

/** From it, every second. */
export type SimulatorReport = SimulatorStats & {
	readonly kind: 'stats';
	readonly unacknowledged: number;
	readonly rssBytes: number;
};
