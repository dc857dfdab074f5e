import {type FileHandle, open} from 'node:fs/promises';
import type {Context} from 'koa';
import {entityTagOf} from '#appliance/contract/catalogue-schema.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {contentTypeOf} from '#appliance/http/content-type-of.ts';
import {fileBody} from '#appliance/http/file-body.ts';
import {sendRepresentation} from '#appliance/http/send-representation.ts';

export type SendFileOptions = {
	/** A path, or an open file that this call takes over and closes in every case. */
	readonly source: string | FileHandle;
	readonly sizeBytes: number;
	/** The object's digest; its ETag unless `entityTag` is given. */
	readonly sha256?: string | undefined;
	/** A strong tag with its quotes. */
	readonly entityTag?: string | undefined;
	readonly entityTagAliases?: readonly string[] | undefined;
	/** Default: by the extension of the request's path. */
	readonly contentType?: string | undefined;
	readonly lastModifiedMs?: number | undefined;
	readonly extraHeaders?: Readonly<Record<string, string>> | undefined;
};

/** Answers a GET or HEAD from a file: conditional requests, one or several ranges, CORS, exact lengths, backpressure. */
export const sendFile = async (context: Context, options: SendFileOptions): Promise<void> => {
	const handle = typeof options.source === 'string' ? await openForReading(options.source) : options.source;
	let handedOver = false;
	try {
		sendRepresentation(context, {
			sizeBytes: options.sizeBytes,
			entityTag: options.entityTag ?? (options.sha256 === undefined ? undefined : entityTagOf(options.sha256)),
			entityTagAliases: options.entityTagAliases,
			contentType: options.contentType ?? contentTypeOf(context.path),
			lastModifiedMs: options.lastModifiedMs,
			extraHeaders: options.extraHeaders,
			body: (parts) => {
				handedOver = true;
				return fileBody(handle, parts);
			},
		});
	} finally {
		if (!handedOver) {
			await handle.close();
		}
	}
};

const openForReading = async (path: string): Promise<FileHandle> => {
	try {
		return await open(path, 'r');
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) {
			throw new CodedError('HTTP_NOT_FOUND', {message: 'There is no such object here.', cause: error});
		}
		throw error;
	}
};
