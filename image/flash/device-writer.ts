import {createHash, type Hash} from 'node:crypto';
import {alignedBuffer, type BlockHandle} from '#image/flash/block-handle.ts';
import type {DeviceFacts} from '#image/flash/device-facts.ts';
import {flashError} from '#image/flash/flash-error.ts';
import type {FlashJournal} from '#image/flash/flash-journal.ts';
import {explainFault, explainMismatch} from '#image/flash/sector-fault.ts';
import {answered, readWhole, writeWhole} from '#image/flash/whole-transfer.ts';
import {type Chunk, chunkBytes} from '#image/flash/write-plan.ts';

/** After a kill so much is read back more than need be, or written again. */
const chunksPerRecord = 8;

/** Takes chunks in their order; each is on the disk, read back and compared when `take` returns. */
export type DeviceWriter = {
	readonly take: (chunk: Chunk, bytes: Buffer) => Promise<void>;
	/** What this machine or the disk still holds in memory goes to the medium, whoever wrote it. */
	readonly sync: () => Promise<void>;
	readonly resumedBytes: () => number;
};

export const createDeviceWriter = (options: {
	readonly facts: DeviceFacts;
	readonly handle: BlockHandle;
	readonly journal: FlashJournal;
	/** What an interrupted run wrote: read first, and written only where it is not there. */
	readonly chunksDone: number;
	readonly isThere: () => Promise<boolean>;
	readonly signal: AbortSignal;
}): DeviceWriter => {
	const {facts, handle, journal, chunksDone, isThere, signal} = options;
	const found = alignedBuffer(chunkBytes);
	let taken = 0;
	let resumedBytes = 0;
	let digest: Hash | undefined;

	const readBack = async (bytes: Buffer, offset: number): Promise<Buffer> => {
		const part = found.subarray(0, bytes.length);
		try {
			await readWhole(handle, part, offset, signal);
		} catch (error) {
			throw await explainFault(error, 'read', {handle, devicePath: facts.path, isThere, offset, bytes, signal});
		}
		return part;
	};
	const isAlreadyThere = async (bytes: Buffer, offset: number): Promise<boolean> => {
		try {
			return taken < chunksDone && (await readBack(bytes, offset)).equals(bytes);
		} catch {
			// What cannot be read may still be written, and if not, then the writing tells why.
			return false;
		}
	};
	const write = async (bytes: Buffer, offset: number): Promise<void> => {
		try {
			await writeWhole(handle, bytes, offset, signal);
			if (!handle.isDirect) {
				await answered(handle.sync(), signal);
			}
		} catch (error) {
			throw await explainFault(error, 'write', {handle, devicePath: facts.path, isThere, offset, bytes, signal});
		}
	};
	return {
		take: async (chunk, bytes) => {
			if (await isAlreadyThere(bytes, chunk.offset)) {
				resumedBytes += bytes.length;
			} else {
				await write(bytes, chunk.offset);
				const back = await readBack(bytes, chunk.offset);
				if (!back.equals(bytes)) {
					throw explainMismatch(facts.path, chunk.offset, {written: bytes, found: back});
				}
			}
			if (chunk.kind === 'data') {
				digest = (digest ?? createHash('sha256')).update(found.subarray(0, bytes.length));
				if (chunk.closesRange) {
					requireDigest(digest.digest('hex'), chunk.range.sha256, facts.path);
					digest = undefined;
				}
			}
			taken += 1;
			if (taken > chunksDone && taken % chunksPerRecord === 0) {
				await journal.record(taken);
			}
		},
		sync: async () => {
			try {
				await answered(handle.sync(), signal);
			} catch (error) {
				throw await explainFault(error, 'write', {
					...{handle, devicePath: facts.path, isThere, offset: 0, bytes: Buffer.alloc(0), signal},
				});
			}
		},
		resumedBytes: () => resumedBytes,
	};
};

const requireDigest = (found: string, expected: string, devicePath: string): void => {
	if (found !== expected) {
		throw flashError(
			'FLASH_VERIFY_FAILED',
			`What was read back from ${devicePath} has another SHA-256 than the image.`,
		);
	}
};
