import {Readable} from 'node:stream';

/**
 * A body whose bytes a generator waits for. When the client leaves, `onLeft` runs first: it aborts what the generator waits
 * for, which then ends. (Readable.from would wait for the read that waits for the abort.)
 */
export const generatorBody = (
	chunks: AsyncGenerator<Uint8Array, void, void>,
	{bufferedBytesMax, onLeft}: {readonly bufferedBytesMax: number; readonly onLeft: () => void},
): Readable =>
	new Readable({
		highWaterMark: bufferedBytesMax,
		read() {
			chunks.next().then(
				({done, value}) => {
					this.push(done === true ? null : value);
				},
				(error: Error) => {
					this.destroy(error);
				},
			);
		},
		destroy(error, callback) {
			onLeft();
			// A generator that never began, or that stands at a yield, ends by this; one that waits ends by the abort.
			chunks.return().catch(() => undefined);
			callback(error);
		},
	});
