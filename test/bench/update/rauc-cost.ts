import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';

const chunkBytes = 4096;
const digestBytes = 32;

/** Images as a bundle holds them and as a slot does, by the class of the slot. */
export type Images = Readonly<Record<'rootfs' | 'boot', string>>;

/**
 * What RAUC's `block-hash-index` fetches at least (docs/advanced.rst, Adaptive Updates): the index of each image, and each
 * chunk once that no slot of the class holds. Not counted: the bundle's own hash tree, which the kernel reads on the way,
 * squashfs's tables, and what streaming reads around a chunk.
 */
export const raucCostBytes = async (from: Images | undefined, to: Images): Promise<number> => {
	let bytes = 0;
	for (const slotClass of ['rootfs', 'boot'] as const) {
		const there = new Set(from === undefined ? [] : await chunksOf(from[slotClass]));
		const fresh = new Set((await chunksOf(to[slotClass])).filter((chunk) => !there.has(chunk)));
		bytes += fresh.size * chunkBytes + ((await stat(to[slotClass])).size / chunkBytes) * digestBytes;
	}
	return bytes;
};

const chunksOf = async (path: string): Promise<readonly string[]> => {
	const digests: string[] = [];
	for await (const bytes of createReadStream(path, {highWaterMark: 256 * chunkBytes}) as AsyncIterable<Buffer>) {
		for (let at = 0; at < bytes.length; at += chunkBytes) {
			digests.push(
				createHash('sha256')
					.update(bytes.subarray(at, at + chunkBytes))
					.digest('base64'),
			);
		}
	}
	return digests;
};
