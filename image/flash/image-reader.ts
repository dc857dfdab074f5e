import {createHash, type Hash} from 'node:crypto';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {alignedBuffer, type BlockHandle} from '#image/flash/block-handle.ts';
import {flashError} from '#image/flash/flash-error.ts';
import {readWhole} from '#image/flash/whole-transfer.ts';
import {type Chunk, chunkBytes} from '#image/flash/write-plan.ts';

/**
 * Reads the chunks of an image in order, each once for all disks, and the next one while the last is written. The bytes
 * of a chunk are valid until the next but one is asked for.
 */
export async function* readChunks(
	handle: BlockHandle,
	{
		chunks,
		imagePath,
		signal,
	}: {readonly chunks: readonly Chunk[]; readonly imagePath: string; readonly signal: AbortSignal},
): AsyncGenerator<{readonly chunk: Chunk; readonly bytes: Buffer}> {
	const buffers = [alignedBuffer(chunkBytes), alignedBuffer(chunkBytes)] as const;
	let digest: Hash | undefined;
	const load = async (index: number): Promise<{readonly chunk: Chunk; readonly bytes: Buffer} | undefined> => {
		const chunk = chunks[index];
		if (chunk === undefined) {
			return undefined;
		}
		const bytes = (index % 2 === 0 ? buffers[0] : buffers[1]).subarray(0, chunk.length);
		if (chunk.kind === 'zero') {
			bytes.fill(0);
			return {chunk, bytes};
		}
		try {
			await readWhole(handle, bytes, chunk.offset, signal);
		} catch (error) {
			signal.throwIfAborted();
			throw flashError('FLASH_IMAGE_INVALID', `The image ${imagePath} cannot be read: ${errorMessage(error)}`, {
				cause: error,
			});
		}
		digest = (digest ?? createHash('sha256')).update(bytes);
		if (chunk.closesRange) {
			if (digest.digest('hex') !== chunk.range.sha256) {
				const message = `The image ${imagePath} is damaged at block ${chunk.range.firstBlock}: it is not the one of its block map; copy it again.`;
				throw flashError('FLASH_IMAGE_INVALID', message, {firstBlock: chunk.range.firstBlock});
			}
			digest = undefined;
		}
		return {chunk, bytes};
	};
	let next = load(0);
	try {
		for (let index = 0; index < chunks.length; index += 1) {
			const loaded = await next;
			next = load(index + 1);
			// The error of a chunk read ahead is told when its turn comes.
			next.catch(() => undefined);
			if (loaded !== undefined) {
				yield loaded;
			}
		}
	} finally {
		await next.catch(() => undefined);
	}
}
