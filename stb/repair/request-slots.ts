export type RequestSlots = {
	/** Waits for a free slot; lower ranks first, equals in order of asking. Dispose what it resolves to. */
	acquire(options: {readonly rank: number; readonly signal: AbortSignal}): Promise<Disposable>;
};

type Waiter = {readonly rank: number; readonly grant: () => void};

/** At most `slotsMax` requests at a time; a slot that is given back goes to the most urgent waiter. */
export const createRequestSlots = ({slotsMax}: {readonly slotsMax: number}): RequestSlots => {
	let free = slotsMax;
	const waiters: Waiter[] = [];
	const release = (): void => {
		const next = waiters.shift();
		if (next === undefined) {
			free += 1;
		} else {
			next.grant();
		}
	};
	const slot = (): Disposable => {
		let held = true;
		return {
			[Symbol.dispose]: () => {
				if (held) {
					held = false;
					release();
				}
			},
		};
	};
	return {
		acquire: ({rank, signal}) => {
			signal.throwIfAborted();
			if (free > 0) {
				free -= 1;
				return Promise.resolve(slot());
			}
			const {promise, resolve, reject} = Promise.withResolvers<Disposable>();
			const onAbort = (): void => {
				waiters.splice(waiters.indexOf(waiter), 1);
				reject(signal.reason as Error);
			};
			const waiter: Waiter = {
				rank,
				grant: () => {
					signal.removeEventListener('abort', onAbort);
					resolve(slot());
				},
			};
			const behind = waiters.findIndex((other) => other.rank > rank);
			waiters.splice(behind === -1 ? waiters.length : behind, 0, waiter);
			signal.addEventListener('abort', onAbort, {once: true});
			return promise;
		},
	};
};
