/** Room for one object, until it is disposed of; `busy` = there would be some but for the downloads that run. */
export type Room = Disposable | 'busy' | 'full';

/** Keeps disk and running downloads together within the budget. Calls must not interleave. */
export const createRoom = (options: {
	readonly budgetBytes: number;
	readonly usedBytes: () => number;
	/** Throws out what is missed least of what ranks behind; false when nothing does. */
	readonly evict: (rank: number) => Promise<boolean>;
}): ((sizeBytes: number, rank: number) => Promise<Room>) => {
	const {budgetBytes, usedBytes, evict} = options;
	let reservedBytes = 0;
	const refusal = (sizeBytes: number): Room => (reservedBytes > 0 && sizeBytes <= budgetBytes ? 'busy' : 'full');
	return async (sizeBytes, rank) => {
		if (reservedBytes + sizeBytes > budgetBytes) {
			return refusal(sizeBytes);
		}
		while (usedBytes() + reservedBytes + sizeBytes > budgetBytes) {
			if (!(await evict(rank))) {
				return refusal(sizeBytes);
			}
		}
		reservedBytes += sizeBytes;
		return {
			[Symbol.dispose]: () => {
				reservedBytes -= sizeBytes;
			},
		};
	};
};
