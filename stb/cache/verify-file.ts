import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {pipeline} from 'node:stream/promises';

const readBytes = 1024 * 1024;

/** The size and SHA-256 of a file, read whole. */
export const digestOfFile = async (
	path: string,
	{signal}: {readonly signal: AbortSignal},
): Promise<{readonly sizeBytes: number; readonly sha256: string}> => {
	const hash = createHash('sha256');
	let sizeBytes = 0;
	await pipeline(
		createReadStream(path, {highWaterMark: readBytes}),
		async (chunks: AsyncIterable<Buffer>) => {
			for await (const chunk of chunks) {
				sizeBytes += chunk.length;
				hash.update(chunk);
			}
		},
		{signal},
	);
	return {sizeBytes, sha256: hash.digest('hex')};
};
