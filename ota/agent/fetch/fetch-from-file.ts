import {constants} from 'node:fs';
import {open} from 'node:fs/promises';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';

const chunkBytes = 1024 * 1024;

/** Takes what lacks from a file on this box, such as a bundle that came on a stick. */
export const fetchFromFile = async (
	path: string,
	{bundle, part, signal}: Pick<FetchContext, 'bundle' | 'part' | 'signal'>,
): Promise<void> => {
	await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
	const facts = await file.stat();
	if (!facts.isFile() || facts.size !== bundle.sizeBytes) {
		throw new CodedError<AgentErrorCode>('OTA_FETCH_CHANGED', {
			message: `${path} is not the bundle: it has ${facts.size} bytes instead of ${bundle.sizeBytes}.`,
		});
	}
	for (const [from, to] of part.missing()) {
		for (let position = from; position < to; ) {
			signal.throwIfAborted();
			const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, to - position));
			const {bytesRead} = await file.read(buffer, 0, buffer.length, position);
			if (bytesRead === 0) {
				return;
			}
			part.count('local', bytesRead);
			await part.write(position, buffer.subarray(0, bytesRead));
			position += bytesRead;
		}
	}
};
