import {createHash} from 'node:crypto';
import {type FileHandle, open} from 'node:fs/promises';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import {
	type BlockList,
	type Blocks,
	blockCount,
	blockRange,
	digestAt,
	digestOfBlock,
	lackingBlocks,
} from '#ota/agent/fetch/block-list.ts';
import {overBudget} from '#ota/agent/fetch/fetch-by-https.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';
import {judgeResponse} from '#ota/agent/fetch/judge-response.ts';
import {requestBytes} from '#ota/agent/fetch/request-bytes.ts';
import {createPatience} from '#ota/agent/fetch/request-patience.ts';

const listBytesMax = 64 * 1024 ** 2;
/** Small blocks are read many at a time. */
const blocksPerRead = 64;

/**
 * Takes the blocks that the bundle shares with what is on the box. The list of digests is bound to the signed manifest by
 * its own digest, so that a block that agrees with it is right wherever it came from, be it a disk that nobody vouches for.
 */
export const fetchFromBlocks = async (url: string, context: FetchContext): Promise<BlockList> => {
	const {bundle, part, signal, logger} = context;
	if (bundle.blocks === undefined) {
		throw refused('The release has no list of blocks.');
	}
	const list = await fetchList(url, bundle.blocks, context);
	const lacking = new Map<string, number[]>();
	for (const index of lackingBlocks(list, part.missing())) {
		const digest = digestAt(list, index);
		const alike = lacking.get(digest);
		if (alike === undefined) {
			lacking.set(digest, [index]);
		} else {
			alike.push(index);
		}
	}
	for (const path of context.local) {
		try {
			await copyBlocks(path, {list, lacking}, context);
		} catch (error) {
			signal.throwIfAborted();
			if (hasCode(error, 'OTA_FAILED_ROOM')) {
				throw error;
			}
			logger.warn({err: error, path}, 'blocks that may be on this box cannot be read, and are fetched');
		}
	}
	return list;
};

const fetchList = async (url: string, blocks: Blocks, context: FetchContext): Promise<BlockList> => {
	const patience = createPatience(url, context);
	for (;;) {
		try {
			return await requestList(url, blocks, context);
		} catch (error) {
			await patience.afterFailure(error, {gotOn: false});
		}
	}
};

const requestList = async (url: string, blocks: Blocks, context: FetchContext): Promise<BlockList> => {
	const {part, bundle, limits, signal} = context;
	const {sizeBytes, digestBytes} = blocks;
	const list = {...blocks, bundleBytes: bundle.sizeBytes};
	if (sizeBytes !== blockCount(list) * digestBytes || sizeBytes > listBytesMax) {
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
	return {...list, digests};
};

const refused = (message: string): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>('OTA_FETCH_BLOCKS', {message});

type Wanted = {
	readonly list: BlockList;
	/** Blocks by their digest. */
	readonly lacking: Map<string, readonly number[]>;
};

const copyBlocks = async (path: string, {list, lacking}: Wanted, {part, signal}: FetchContext): Promise<void> => {
	await using handle = await openIfThere(path);
	const buffer = Buffer.alloc(list.blockSizeBytes * blocksPerRead);
	const zeros = Buffer.alloc(list.blockSizeBytes);
	const zerosDigest = digestOfBlock(list, zeros);
	for (let offset = 0; handle !== undefined && lacking.size > 0; offset += buffer.length) {
		signal.throwIfAborted();
		const {bytesRead} = await handle.read(buffer, 0, buffer.length, offset);
		if (bytesRead === 0) {
			return;
		}
		const found: Found[] = [];
		for (let at = 0; at < bytesRead; at += list.blockSizeBytes) {
			const block = buffer.subarray(at, Math.min(at + list.blockSizeBytes, bytesRead));
			// Most of a slot is empty, and comparing costs next to nothing.
			const digest = block.equals(zeros) ? zerosDigest : digestOfBlock(list, block);
			for (const index of lacking.get(digest) ?? []) {
				found.push({at, offset: blockRange(list, index)[0], length: block.length});
			}
			lacking.delete(digest);
		}
		for (const {at, offset, length} of joined(found)) {
			part.count('local', length);
			await part.write(offset, buffer.subarray(at, at + length));
		}
	}
};

/** Bytes of the buffer, and where in the bundle they belong. */
type Found = {readonly at: number; readonly offset: number; readonly length: number};

/** What lies together here and there is written together: a write of one block costs as much as one of many. Pure. */
const joined = (found: readonly Found[]): readonly Found[] => {
	const runs: Found[] = [];
	for (const next of found) {
		const last = runs.at(-1);
		if (last !== undefined && last.at + last.length === next.at && last.offset + last.length === next.offset) {
			runs[runs.length - 1] = {...last, length: last.length + next.length};
		} else {
			runs.push(next);
		}
	}
	return runs;
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
