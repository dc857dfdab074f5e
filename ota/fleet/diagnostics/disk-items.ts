import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, open, rename, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {Readable} from 'node:stream';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {ItemStore, RecordingSink} from '#ota/fleet/diagnostics/item-store.ts';

const flushMs = 500;

/** `<directory>/<id>`; an upload grows in `<id>.part` until it is whole, and that file's length is how much was received. */
export const createDiskItems = ({directory}: {readonly directory: string}): ItemStore => {
	const pathOf = (id: string): string => path.join(directory, id);
	const partOf = (id: string): string => `${pathOf(id)}.part`;
	return {
		receivedBytes: async (id) => (await sizeOf(partOf(id))) ?? 0,
		append: async (id, part) => {
			await mkdir(directory, {recursive: true, mode: 0o700});
			return await appendTo(partOf(id), part);
		},
		digest: (id) => digestOfFile(partOf(id)),
		finish: (id) => rename(partOf(id), pathOf(id)),
		record: async (id) => {
			await mkdir(directory, {recursive: true, mode: 0o700});
			return await recordTo(pathOf(id));
		},
		open: async (id) => {
			const sizeBytes = await sizeOf(pathOf(id));
			return sizeBytes === undefined
				? undefined
				: {
						sizeBytes,
						body: () => (sizeBytes === 0 ? Readable.from([]) : createReadStream(pathOf(id), {end: sizeBytes - 1})),
					};
		},
		remove: async (id) => {
			await rm(pathOf(id), {force: true});
			await rm(partOf(id), {force: true});
		},
		tidy: () => Promise.resolve(),
	};
};

const appendTo = async (
	filePath: string,
	{offsetBytes, body}: {readonly offsetBytes: number; readonly body: AsyncIterable<Buffer>},
): Promise<number> => {
	let position = offsetBytes;
	try {
		await using file = await open(filePath, offsetBytes === 0 ? 'w' : 'r+', 0o600);
		for await (const chunk of body) {
			await file.write(chunk, 0, chunk.length, position);
			position += chunk.length;
		}
		await file.datasync();
	} catch (error) {
		throw hasCode(error, 'ENOSPC', 'EDQUOT')
			? new CodedError('HTTP_STORAGE_FULL', {message: 'The fleet’s disk is full.', cause: error, retryable: true})
			: error;
	}
	return position;
};

const recordTo = async (filePath: string): Promise<RecordingSink> => {
	const file = await open(filePath, 'wx', 0o600);
	return {flushMs, append: (text) => file.appendFile(text), [Symbol.asyncDispose]: () => file.close()};
};

const sizeOf = async (filePath: string): Promise<number | undefined> => {
	try {
		return (await stat(filePath)).size;
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return undefined;
		}
		throw error;
	}
};

const digestOfFile = async (filePath: string): Promise<string> => {
	const digest = createHash('sha256');
	for await (const chunk of createReadStream(filePath) as AsyncIterable<Buffer>) {
		digest.update(chunk);
	}
	return digest.digest('hex');
};
