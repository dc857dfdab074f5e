/** What came on a topic. */
export type BrokerMessage = {
	readonly topic: string;
	readonly payload: Buffer;
	/** The broker had kept it; false for what is said at this moment. */
	readonly retained: boolean;
};

export type PublishOptions = {
	/** 0 for what will be said again anyway; default 1. */
	readonly qos?: 0 | 1;
	readonly retain?: boolean;
	/** The broker forgets it when nobody took it by then. */
	readonly expirySeconds?: number;
	readonly responseTopic?: string;
	readonly correlationData?: string;
};

/** The server's connection to the broker. It comes back by itself; what is published meanwhile waits, within bounds. */
export type FleetBroker = AsyncDisposable & {
	readonly isConnected: () => boolean;
	/** Resolves when the broker has it (QoS 1), rejects after a deadline (`OTA_BROKER_UNREACHABLE`). */
	readonly publish: (topic: string, payload: string | Buffer, options?: PublishOptions) => Promise<void>;
	/**
	 * Hears a topic filter (with `+`, `#`, `$share/<group>/…`) for as long as the subscription is not disposed, across
	 * reconnections. A listener that answers a promise holds the connection back until it is done.
	 */
	readonly subscribe: (
		filter: string,
		listener: (message: BrokerMessage) => undefined | Promise<void>,
	) => Promise<AsyncDisposable>;
	/** Called at each connection, the first included. */
	readonly onConnected: (listener: () => void) => () => void;
};
