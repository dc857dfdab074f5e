import {createHash} from 'node:crypto';
import {type FileHandle, open} from 'node:fs/promises';
import type {Bundle} from '#appliance/contract/fleet/release-schema.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import {overBudget} from '#ota/agent/fetch/fetch-by-https.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';
import {judgeResponse} from '#ota/agent/fetch/judge-response.ts';
import {requestBytes} from '#ota/agent/fetch/request-bytes.ts';

/** SHA-256 of each block of a bundle, in order. */
export type BlockDigests = {readonly blockSizeBytes: number; readonly digests: Buffer};

const digestBytes = 32;
const listBytesMax = 64 * 1024 ** 2;
/** Small blocks are read many at a time. */
const blocksPerRead = 64;
type Blocks = NonNullable<Bundle['blocks']>;

/**
 * Takes the blocks that the bundle shares with the one that is kept of the running release. The list of digests is bound
 * to the signed manifest by its own digest, so that a block that agrees with it is right wherever it came from.
 */
export const fetchFromBlocks = async (url: string, context: FetchContext): Promise<BlockDigests> => {
	const {bundle} = context;
	if (bundle.blocks === undefined) {
		throw refused('The release has no list of blocks.');
	}
	const list = await fetchList(url, bundle.blocks, context);
	if (context.kept !== undefined) {
		await copyBlocks(context.kept, list, context);
	}
	return list;
};

const fetchList = async (url: string, blocks: Blocks, context: FetchContext): Promise<BlockDigests> => {
	const {part, bundle, limits, signal} = context;
	const {sizeBytes, blockSizeBytes} = blocks;
	if (sizeBytes !== Math.ceil(bundle.sizeBytes / blockSizeBytes) * digestBytes || sizeBytes > listBytesMax) {
		throw refused('The list of blocks is not as long as the bundle has blocks.');
	}
	if (sizeBytes > part.budgetLeft()) {
		throw overBudget('The list of blocks exceeds what is left of the order’s budget.');
	}
	const digests = Buffer.alloc(sizeBytes);
	let received = 0;
	await requestBytes(
		{url, headers: {}, agent: context.httpsAgent(), limits, signal},
		({statusCode = 0, headers}) => {
			judgeResponse({status: statusCode, headers}, {from: 0, to: sizeBytes, sizeBytes, entityTag: undefined});
		},
		async (bytes) => {
			part.count('unicast', bytes.length);
			if (received + bytes.length > sizeBytes) {
				throw refused('The list of blocks is longer than it was said to be.');
			}
			received += bytes.copy(digests, received);
			await part.checkpointIfDue();
		},
	);
	if (createHash('sha256').update(digests).digest('hex') !== blocks.sha256) {
		throw refused('The list of blocks is not the one that was signed.');
	}
	return {blockSizeBytes, digests};
};

const refused = (message: string): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>('OTA_FETCH_BLOCKS', {message});

const blockAt = ({digests}: BlockDigests, index: number): string =>
	digests.toString('latin1', index * digestBytes, (index + 1) * digestBytes);

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest().toString('latin1');

const lengthOf = ({blockSizeBytes}: BlockDigests, index: number, sizeBytes: number): number =>
	Math.min(blockSizeBytes, sizeBytes - index * blockSizeBytes);

const copyBlocks = async (kept: string, list: BlockDigests, {part, bundle, signal}: FetchContext): Promise<void> => {
	const lacking = new Map<string, number[]>();
	for (let index = 0; index * list.blockSizeBytes < bundle.sizeBytes; index++) {
		const from = index * list.blockSizeBytes;
		if (part.missing(from, from + lengthOf(list, index, bundle.sizeBytes)).length > 0) {
			const digest = blockAt(list, index);
			const alike = lacking.get(digest);
			if (alike === undefined) {
				lacking.set(digest, [index]);
			} else {
				alike.push(index);
			}
		}
	}
	await using handle = await openIfThere(kept);
	const buffer = Buffer.alloc(list.blockSizeBytes * blocksPerRead);
	for (let offset = 0; handle !== undefined && lacking.size > 0; offset += buffer.length) {
		signal.throwIfAborted();
		const {bytesRead} = await handle.read(buffer, 0, buffer.length, offset);
		if (bytesRead === 0) {
			return;
		}
		for (let at = 0; at < bytesRead; at += list.blockSizeBytes) {
			const block = buffer.subarray(at, Math.min(at + list.blockSizeBytes, bytesRead));
			const digest = digestOf(block);
			for (const index of lacking.get(digest) ?? []) {
				part.count('local', block.length);
				await part.write(index * list.blockSizeBytes, block);
			}
			lacking.delete(digest);
		}
	}
};

const openIfThere = async (path: string): Promise<FileHandle | undefined> => {
	try {
		return await open(path, 'r');
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return undefined;
		}
		throw error;
	}
};

/** Forgets the blocks that are not what the list says; answers how many. */
export const discardBadBlocks = async (list: BlockDigests, {part, bundle, signal}: FetchContext): Promise<number> => {
	let bad = 0;
	for (let index = 0; index * list.blockSizeBytes < bundle.sizeBytes; index++) {
		signal.throwIfAborted();
		const from = index * list.blockSizeBytes;
		const length = lengthOf(list, index, bundle.sizeBytes);
		if (digestOf(await part.read(from, length)) !== blockAt(list, index)) {
			part.discard(from, from + length);
			bad += 1;
		}
	}
	return bad;
};
