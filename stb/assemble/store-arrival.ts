import {readFile, rm} from 'node:fs/promises';
import type {ObjectUri} from '#appliance/contract/object-uri.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {type DecodedObject, decodeGzipFile} from '#stb/assemble/decode-object.ts';
import type {ArrivalFacts} from '#stb/assemble/describe-arrival.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {StbErrorCode} from '#stb/error-code.ts';

/** A whole transport object in a file that is now ours. */
export type WholeArrival = {
	readonly path: string;
	readonly sizeBytes: number;
	/** Over the file's bytes. */
	readonly sha256: string;
	readonly repaired: boolean;
	/** `gzip` while the file still is; a file that came by repair is identity already. */
	readonly encoding: ArrivalFacts['encoding'];
};

export type SignallingSink = (object: {
	readonly uri: string;
	readonly contentType: string;
	readonly bytes: Buffer;
}) => void;

/** Signalling is read into memory; nothing that describes a service is larger. */
export const signallingBytesMax = 8 * 1024 * 1024;
/** What a compressed object may swell to when its FDT does not tell. */
const unknownSizeRatioMax = 64;

/**
 * Decodes and verifies a whole arrival, then hands it to the cache (content) or to the reader of signalling. Whatever
 * happens, the transport file is gone afterwards. Answers the digest of the identity bytes.
 */
export const storeArrival = async (options: {
	readonly facts: ArrivalFacts;
	readonly whole: WholeArrival;
	readonly cache: Pick<ObjectCache, 'commit'>;
	readonly onSignalling: SignallingSink;
	/** URIs of content that the box reads itself as well. */
	readonly alsoSignalling: (uri: string) => boolean;
	readonly signal: AbortSignal;
}): Promise<{readonly sha256: string}> => {
	const {facts, whole, cache, onSignalling, alsoSignalling, signal} = options;
	try {
		const decoded = await decode(facts, whole, signal);
		if (facts.sha256 !== undefined && facts.sha256 !== decoded.sha256) {
			await rm(decoded.filePath, {force: true});
			throw new CodedError<StbErrorCode>('STB_ARRIVAL_DIGEST_MISMATCH', {
				message: 'This object’s bytes are not those that the headend described.',
				details: {uri: facts.uri},
			});
		}
		if (facts.kind === 'signalling' || alsoSignalling(facts.uri)) {
			await readSignalling(facts, decoded, onSignalling);
		}
		if (facts.kind === 'signalling') {
			await rm(decoded.filePath, {force: true});
			return {sha256: decoded.sha256};
		}
		const {uri, contentType, priority, expiresMs, freshUntilMs} = facts;
		await cache.commit({
			uri: uri as ObjectUri,
			...{contentType, priority, expiresMs},
			...(freshUntilMs === undefined ? {} : {freshUntilMs}),
			...decoded,
			source: whole.repaired ? 'repaired' : 'multicast',
		});
		return {sha256: decoded.sha256};
	} finally {
		await rm(whole.path, {force: true});
	}
};

const decode = async (facts: ArrivalFacts, whole: WholeArrival, signal: AbortSignal): Promise<DecodedObject> => {
	if (whole.encoding === 'identity') {
		return {filePath: whole.path, sizeBytes: whole.sizeBytes, sha256: whole.sha256};
	}
	return await decodeGzipFile({
		sourcePath: whole.path,
		targetPath: `${whole.path}.identity`,
		sizeBytesMax: facts.sizeBytes ?? whole.sizeBytes * unknownSizeRatioMax,
		signal,
	});
};

const readSignalling = async (
	{uri, contentType}: ArrivalFacts,
	{filePath, sizeBytes}: DecodedObject,
	onSignalling: SignallingSink,
): Promise<void> => {
	if (sizeBytes > signallingBytesMax) {
		throw new CodedError<StbErrorCode>('STB_ARRIVAL_TOO_LARGE', {
			message: 'This signalling object is larger than any sound one.',
			details: {uri, sizeBytes},
		});
	}
	onSignalling({uri, contentType, bytes: await readFile(filePath)});
};
