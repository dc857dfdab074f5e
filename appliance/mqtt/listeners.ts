import type {Logger} from '#appliance/log/logger.ts';

export type Listeners<Value> = {
	/** Answers how to stop. With `current`, the listener hears that at once. */
	readonly add: (listener: (value: Value) => void, current?: Value) => () => void;
	readonly tell: (value: Value) => void;
};

/** Those who want to hear of something. One that throws keeps nobody else from hearing, and the link from nothing. */
export const createListeners = <Value>(name: string, logger: Logger): Listeners<Value> => {
	const listeners = new Set<(value: Value) => void>();
	const call = (listener: (value: Value) => void, value: Value): void => {
		try {
			listener(value);
		} catch (error) {
			logger.error({err: error, listener: name}, 'a listener of the link failed');
		}
	};
	return {
		add: (listener, current) => {
			// Of its own identity, so that the same function may listen twice.
			const own = (value: Value): void => listener(value);
			listeners.add(own);
			if (current !== undefined) {
				call(own, current);
			}
			return () => listeners.delete(own);
		},
		tell: (value) => {
			for (const listener of listeners) {
				call(listener, value);
			}
		},
	};
};
