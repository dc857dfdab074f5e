import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {type Sha256, sha256Schema} from '#appliance/contract/fleet/release-schema.ts';

/**
 * The block of the file system in a bundle: a file that grew moves what follows it by whole ones, which larger blocks would
 * all see as new. The list is 0.4 % of the bundle.
 */
export const blockSizeBytes = 4096;
/** Of each block's SHA-256: enough to tell blocks apart that somebody made to be alike; the whole has its own digest. */
export const digestBytes = 16;

export type BundleDigest = {
	readonly sizeBytes: number;
	readonly sha256: Sha256;
	/** SHA-256 of each block, the first `digestBytes` of it, in order; the last block may be short. */
	readonly blockList: Buffer;
};

/** Reads a bundle once. */
export const digestBundle = async (
	path: string,
	options: {readonly signal: AbortSignal; readonly onProgress?: (doneBytes: number) => void},
): Promise<BundleDigest> => {
	const whole = createHash('sha256');
	const blocks: Buffer[] = [];
	let pending: Buffer = Buffer.alloc(0);
	let sizeBytes = 0;
	// Chunks of a file stream are whole blocks but for the last: nothing is copied.
	const file = createReadStream(path, {highWaterMark: 256 * blockSizeBytes, signal: options.signal});
	for await (const chunk of file as AsyncIterable<Buffer>) {
		whole.update(chunk);
		sizeBytes += chunk.length;
		const bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
		const wholeBytes = bytes.length - (bytes.length % blockSizeBytes);
		for (let offset = 0; offset < wholeBytes; offset += blockSizeBytes) {
			blocks.push(digestOf(bytes.subarray(offset, offset + blockSizeBytes)));
		}
		pending = bytes.subarray(wholeBytes);
		options.onProgress?.(sizeBytes);
	}
	if (pending.length > 0) {
		blocks.push(digestOf(pending));
	}
	return {sizeBytes, sha256: sha256Schema.parse(whole.digest('hex')), blockList: Buffer.concat(blocks)};
};

const digestOf = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest().subarray(0, digestBytes);
