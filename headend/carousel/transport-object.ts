import {createHash} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import {promisify} from 'node:util';
import {gzip} from 'node:zlib';
import {entityTagOf, type Priority} from '#appliance/contract/catalogue-schema.ts';
import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';
import {headendError} from '#headend/error-code.ts';

const compress = promisify(gzip);

/** Below this gzip's own header eats what it saves; above that a text object is no manifest and stays a file. */
const gzipBytesMin = 300;
const gzipBytesMax = 2 ** 20;
/** A saving below this does not pay for a receiver's work. */
const gzipRatioMax = 0.9;

/** An object as it is on air: after content encoding. */
export type TransportObject = {
	readonly contentLocation: string;
	readonly contentType: string;
	/** Identity length. */
	readonly contentLength: number;
	readonly transferLength: number;
	readonly contentEncoding?: 'gzip' | undefined;
	/** Hex, of the transport object. */
	readonly sha256: string;
	/** Base64, of the transport object. */
	readonly md5: string;
	/** Of the identity bytes, so that every server of the object says the same. */
	readonly entityTag: string;
	readonly freshUntilMs?: number | undefined;
	readonly expiresMs?: number | undefined;
	readonly priority?: Priority | undefined;
	readonly service?: string | undefined;
	readonly source:
		| {readonly kind: 'file'; readonly path: string; readonly sizeBytes: number}
		| {readonly kind: 'bytes'; readonly bytes: Uint8Array};
};

const compressible = /^(text\/|application\/(json|xml|dash\+xml|vnd\.apple\.mpegurl|x-mpegurl|[\w.-]+\+(xml|json)))/iu;

/**
 * Makes an entry ready for the air. A referenced file must still be what was hashed, or receivers would assemble
 * something that its digest then refuses.
 * @throws CodedError HEADEND_SOURCE_CHANGED
 */
export const toTransportObject = async (
	entry: CatalogueEntry,
	options: {readonly gzip: boolean},
): Promise<TransportObject> => {
	const common = {
		contentLocation: entry.uri,
		contentType: entry.contentType,
		contentLength: entry.sizeBytes,
		entityTag: entityTagOf(entry.sha256),
		freshUntilMs: entry.freshUntilMs,
		expiresMs: entry.expiresMs,
		priority: entry.priority,
		service: entry.service,
	};
	await refuseChanged(entry);
	const isText =
		compressible.test(entry.contentType) && entry.sizeBytes > gzipBytesMin && entry.sizeBytes <= gzipBytesMax;
	if (options.gzip && isText) {
		const bytes = await compress(await readFile(entry.filePath), {level: 9});
		if (bytes.length < entry.sizeBytes * gzipRatioMax) {
			return {...common, ...transportOf(bytes), contentEncoding: 'gzip'};
		}
	}
	return {
		...common,
		transferLength: entry.sizeBytes,
		sha256: entry.sha256,
		md5: entry.md5,
		source: {kind: 'file', path: entry.filePath, sizeBytes: entry.sizeBytes},
	};
};

/** Signalling is made in memory. */
export const bytesToTransportObject = async (
	object: {readonly uri: string; readonly contentType: string; readonly bytes: Uint8Array},
	options: {readonly gzip: boolean},
): Promise<TransportObject> => {
	const common = {
		contentLocation: object.uri,
		contentType: object.contentType,
		contentLength: object.bytes.length,
		entityTag: entityTagOf(createHash('sha256').update(object.bytes).digest('hex')),
	};
	const packed =
		options.gzip && object.bytes.length > gzipBytesMin ? await compress(object.bytes, {level: 9}) : undefined;
	return packed !== undefined && packed.length < object.bytes.length * gzipRatioMax
		? {...common, ...transportOf(packed), contentEncoding: 'gzip'}
		: {...common, ...transportOf(object.bytes)};
};

const transportOf = (bytes: Uint8Array) =>
	({
		transferLength: bytes.length,
		sha256: createHash('sha256').update(bytes).digest('hex'),
		md5: createHash('md5').update(bytes).digest('base64'),
		source: {kind: 'bytes', bytes},
	}) as const;

/** @throws CodedError HEADEND_SOURCE_CHANGED */
export const refuseChanged = async (entry: CatalogueEntry): Promise<void> => {
	const file = await stat(entry.filePath).catch(() => undefined);
	if (file === undefined || file.size !== entry.sizeBytes || file.mtimeMs !== entry.modifiedMs) {
		throw headendError('HEADEND_SOURCE_CHANGED', {
			status: 500,
			message: `${entry.path} is no longer what it was when it was taken in.`,
			details: {path: entry.path, filePath: entry.filePath},
			retryable: true,
		});
	}
};
