import {createHash, type Hash, randomUUID} from 'node:crypto';
import {rm} from 'node:fs/promises';
import type {IncomingMessage} from 'node:http';
import {join} from 'node:path';
import {type ObjectUri, pathOfObjectUri} from '#appliance/contract/object-uri.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import {askForObject} from '#stb/serve/ask-for-object.ts';
import {askOrigin, asOriginError, type OriginAccess, type OriginAnswer} from '#stb/serve/ask-origin.ts';
import {createGrowingFile, type GrowingFile} from '#stb/serve/growing-file.ts';
import {type OriginFacts, originFactsOf} from '#stb/serve/origin-facts.ts';

const resumptionsMax = 3;

export type TransferFacts = Omit<OriginFacts, 'sizeBytes'> & {readonly sizeBytes: number};

/** One fetch of one object for whoever waits for it. */
export type Transfer = {
	readonly uri: ObjectUri;
	/** Size and headers, as soon as they are known; rejects with what the players are told. */
	readonly facts: Promise<TransferFacts | 'unchanged'>;
	/** Bytes that readers have by now. */
	readonly receivedBytes: () => number;
	readonly read: GrowingFile['read'];
	/** Keeps what has come readable until called back; undefined when it is gone (it is in the cache, or nowhere). */
	readonly retain: () => (() => Promise<void>) | undefined;
	/** Resolves when it is over, for good or ill. */
	readonly done: Promise<void>;
};

export type TransferContext = {
	readonly access: OriginAccess;
	readonly cache: ObjectCache;
	readonly clock: Clock;
	readonly signal: AbortSignal;
};

/**
 * Fetches an object into a file of the cache's incoming directory while players read behind, verifies it and commits it.
 * The last byte is released only after the digest is right: a corrupt object never looks whole to a player.
 */
export const startTransfer = (uri: ObjectUri, context: TransferContext): Transfer => {
	const facts = Promise.withResolvers<TransferFacts | 'unchanged'>();
	facts.promise.catch(() => undefined);
	let file: GrowingFile | undefined;
	const done = receive(uri, context, {
		onFile: (opened) => {
			file = opened;
		},
		onFacts: facts.resolve,
	}).catch((error: unknown) => {
		const told = asOriginError(error);
		facts.reject(told);
		file?.fail(told);
	});
	return {
		uri,
		facts: facts.promise,
		receivedBytes: () => file?.writtenBytes() ?? 0,
		retain: () => file?.retain(),
		read: async function* read(options) {
			await facts.promise;
			if (file !== undefined) {
				yield* file.read(options);
			}
		},
		done,
	};
};

type Listener = {
	readonly onFile: (file: GrowingFile) => void;
	readonly onFacts: (facts: TransferFacts | 'unchanged') => void;
};

const receive = async (uri: ObjectUri, context: TransferContext, listener: Listener): Promise<void> => {
	const {access, cache, clock, signal} = context;
	const answer = await askForObject(uri, {access, cache, clock, signal});
	if (answer === 'unchanged') {
		listener.onFacts('unchanged');
		return;
	}
	const facts = originFactsOf(answer.response.headers, pathOfObjectUri(uri), clock.nowMs());
	const path = join(cache.layout.incoming, `${randomUUID()}.fetch`);
	try {
		if ((facts.sizeBytes ?? 0) > access.limits.objectBytesMax || !(await cache.makeRoom(facts.sizeBytes ?? 0, facts))) {
			throw noRoom(uri);
		}
		const file = await createGrowingFile(path);
		try {
			listener.onFile(file);
			if (facts.sizeBytes !== undefined) {
				listener.onFacts({...facts, sizeBytes: facts.sizeBytes});
			}
			const sha256 = await fill(uri, {answer, facts, file, context});
			file.release(file.writtenBytes());
			listener.onFacts({...facts, sha256, sizeBytes: file.writtenBytes()});
			await keep(uri, {facts, file, sha256, cache});
		} finally {
			await file.leave();
		}
	} finally {
		answer.response.destroy();
		await rm(path, {force: true});
	}
};

type Filling = {
	readonly answer: OriginAnswer;
	readonly facts: OriginFacts;
	readonly file: GrowingFile;
	readonly context: TransferContext;
};

/** Takes the body, resuming it elsewhere when a server dies; answers its digest. */
const fill = async (uri: ObjectUri, filling: Filling): Promise<string> => {
	const {facts, file, context} = filling;
	const {access, signal} = context;
	const hash = createHash('sha256');
	let {base, response} = filling.answer;
	for (let resumptions = 0; ; resumptions++) {
		try {
			await pour(response, hash, filling);
			break;
		} catch (error) {
			signal.throwIfAborted();
			access.stats.failures += 1;
			access.bases.setAside(base);
			if (resumptions === resumptionsMax || !mayResume(error, facts)) {
				throw error;
			}
			({base, response} = await resume(uri, filling));
		}
	}
	const sha256 = hash.digest('hex');
	if (facts.sha256 !== undefined && facts.sha256 !== sha256) {
		access.bases.setAside(base);
		throw new CodedError<StbErrorCode>('STB_ORIGIN_REFUSED', {
			message: 'The origin sent other bytes than its ETag names.',
			details: {uri, bytes: file.writtenBytes(), status: 502},
		});
	}
	return sha256;
};

const mayResume = (error: unknown, {sizeBytes, entityTag}: OriginFacts): boolean =>
	sizeBytes !== undefined && entityTag !== undefined && !hasCode(error, 'STB_CACHE_FULL', 'ENOSPC', 'EDQUOT', 'EFBIG');

const pour = async (response: IncomingMessage, hash: Hash, {facts, file, context}: Filling): Promise<void> => {
	const {limits, stats} = context.access;
	const sizeMax = facts.sizeBytes ?? limits.objectBytesMax;
	for await (const chunk of response as AsyncIterable<Buffer>) {
		if (file.writtenBytes() + chunk.length > sizeMax) {
			throw noRoom(context.access.objectBaseUri);
		}
		hash.update(chunk);
		await file.write(chunk);
		stats.bytes += chunk.length;
		file.release(Math.min(file.writtenBytes(), sizeMax - 1));
	}
	if (facts.sizeBytes !== undefined && file.writtenBytes() < facts.sizeBytes) {
		throw new CodedError<StbErrorCode>('STB_ORIGIN_REFUSED', {
			message: 'The origin ended an object before its length.',
			details: {receivedBytes: file.writtenBytes(), sizeBytes: facts.sizeBytes, status: 502},
			retryable: true,
		});
	}
};

/** Asks for the rest of the very same bytes: a strong If-Range, and the whole again is no answer to it. */
const resume = async (uri: ObjectUri, {facts, file, context}: Filling): Promise<OriginAnswer> => {
	const from = file.writtenBytes();
	return await askOrigin(context.access, {
		uri,
		headers: {range: `bytes=${from}-`, 'if-range': facts.entityTag ?? ''},
		accept: ({statusCode, headers}) =>
			statusCode === 206 &&
			headers['content-range'] === `bytes ${from}-${(facts.sizeBytes ?? 0) - 1}/${facts.sizeBytes}` &&
			headers.etag === facts.entityTag,
		signal: context.signal,
	});
};

type Keeping = {
	readonly facts: OriginFacts;
	readonly file: GrowingFile;
	readonly sha256: string;
	readonly cache: ObjectCache;
};

const keep = async (uri: ObjectUri, {facts, file, sha256, cache}: Keeping): Promise<void> => {
	if (!facts.storable) {
		return;
	}
	try {
		await cache.commit({
			uri,
			filePath: file.path,
			sizeBytes: file.writtenBytes(),
			sha256,
			contentType: facts.contentType,
			priority: facts.priority,
			source: 'terrestrial',
			expiresMs: facts.expiresMs,
			freshUntilMs: facts.freshUntilMs,
		});
	} catch (error) {
		// The players have their bytes; that the box could not keep them is no reason to fail them.
		if (!hasCode(error, 'STB_CACHE_FULL', 'STB_CACHE_OBJECT_INVALID')) {
			throw error;
		}
	}
};

const noRoom = (uri: string): CodedError<StbErrorCode> =>
	new CodedError('STB_CACHE_FULL', {
		message: 'There is no room on the box for this object.',
		details: {uri, status: 507},
	});
