import {createHash, randomUUID} from 'node:crypto';
import {mkdir, readdir, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {ContentStore} from '#headend/catalogue/content-store.ts';
import {type ReceivedBody, receiveBody} from '#headend/catalogue/receive-body.ts';
import {headendError} from '#headend/error-code.ts';

export type UploadsOptions = {
	readonly directory: string;
	readonly contentStore: ContentStore;
	readonly clock: Clock;
	readonly uploadsMax: number;
	readonly contentBytesMax: number;
	readonly partialUploadExpiryMs: number;
	/** Bytes that committed objects take already. */
	readonly ownedBytes: () => number;
};

export type UploadPart = {
	readonly path: string;
	readonly body: AsyncIterable<Buffer>;
	readonly maxBytes: number;
	readonly startBytes: number;
	readonly endBytes?: number | undefined;
	readonly totalBytes?: number | undefined;
	/** Promised digest, lower-case hex. */
	readonly sha256?: string | undefined;
};

export type UploadResult =
	| {readonly kind: 'partial'; readonly offsetBytes: number}
	| ({readonly kind: 'whole'; readonly filePath: string; readonly hold: Disposable} & ReceivedBody);

/**
 * Bodies on their way in. A whole body of known length, or parts of one, gather in `<key>.part`, where the key binds
 * path, total length and promised digest: a client that comes back with another file begins anew. Only a complete,
 * synced, verified file leaves this folder.
 */
export class Uploads {
	readonly #options: UploadsOptions;
	readonly #busy = new Set<string>();
	#receivingBytes = 0;
	/** What unfinished uploads hold on disk, as of the last look. */
	#partialBytes = 0;
	#running = 0;

	constructor(options: UploadsOptions) {
		this.#options = options;
	}

	async start(): Promise<void> {
		const {directory} = this.#options;
		await mkdir(directory, {recursive: true});
		for (const name of await readdir(directory)) {
			if (!name.endsWith('.part')) {
				await rm(join(directory, name), {force: true});
			}
		}
		await this.expire();
	}

	/** Forgets partial uploads that nobody went on with. */
	async expire(): Promise<void> {
		const {directory, clock, partialUploadExpiryMs} = this.#options;
		let partialBytes = 0;
		for (const name of await readdir(directory)) {
			const filePath = join(directory, name);
			const file = await stat(filePath).catch(() => undefined);
			if (file === undefined || this.#busy.has(filePath)) {
				continue;
			}
			if (file.mtimeMs + partialUploadExpiryMs < clock.nowMs()) {
				await rm(filePath, {force: true});
			} else {
				partialBytes += file.size;
			}
		}
		this.#partialBytes = partialBytes;
	}

	/** Bytes that an unfinished upload of exactly this object holds. */
	offset(part: {
		readonly path: string;
		readonly totalBytes: number;
		readonly sha256?: string | undefined;
	}): Promise<number> {
		return this.#sizeOf(this.#partPath(part));
	}

	/** @throws CodedError HEADEND_UPLOAD_OFFSET | HEADEND_UPLOAD_BUSY | HEADEND_UPLOADS_TOO_MANY | HEADEND_DIGEST_MISMATCH … */
	async receive(part: UploadPart): Promise<UploadResult> {
		if (this.#running >= this.#options.uploadsMax) {
			throw headendError('HEADEND_UPLOADS_TOO_MANY', {
				status: 503,
				message: 'Too many uploads run at the same time; try again shortly.',
				retryable: true,
			});
		}
		this.#running += 1;
		try {
			return await this.#receiveInto(part, this.#choosePath(part));
		} finally {
			this.#running -= 1;
		}
	}

	async #receiveInto(part: UploadPart, filePath: string): Promise<UploadResult> {
		const resumable = filePath.endsWith('.part');
		let reservedBytes = 0;
		this.#busy.add(filePath);
		try {
			if (part.startBytes > 0) {
				await this.#refuseWrongOffset(part, filePath);
			}
			const received = await receiveBody({
				filePath,
				body: part.body,
				offsetBytes: part.startBytes,
				expectedBytes: part.endBytes,
				maxBytes: part.maxBytes,
				reserve: (bytes) => {
					this.#reserve(bytes);
					reservedBytes += bytes;
				},
			});
			if (part.totalBytes !== undefined && received.sizeBytes < part.totalBytes) {
				this.#partialBytes += received.sizeBytes - part.startBytes;
				return {kind: 'partial', offsetBytes: received.sizeBytes};
			}
			await this.#refuseWrongDigest(part, received, filePath);
			const hold = this.#options.contentStore.hold(this.#options.contentStore.pathOf(received.sha256));
			try {
				return {
					kind: 'whole',
					filePath: await this.#options.contentStore.adopt(filePath, received.sha256),
					hold,
					...received,
				};
			} catch (error) {
				hold[Symbol.dispose]();
				throw error;
			}
		} catch (error) {
			if (!resumable || hasCode(error, 'HEADEND_BODY_TOO_LARGE', 'HTTP_STORAGE_FULL')) {
				await rm(filePath, {force: true});
			}
			throw error;
		} finally {
			this.#receivingBytes -= reservedBytes;
			this.#busy.delete(filePath);
		}
	}

	/** Two clients that send the same whole object at once do not share a file; the one that ends last wins. */
	#choosePath(part: UploadPart): string {
		const {totalBytes} = part;
		const filePath = totalBytes === undefined ? undefined : this.#partPath({...part, totalBytes});
		if (filePath === undefined || (this.#busy.has(filePath) && part.startBytes === 0)) {
			return join(this.#options.directory, `${randomUUID()}.whole`);
		}
		if (this.#busy.has(filePath)) {
			throw headendError('HEADEND_UPLOAD_BUSY', {
				status: 409,
				message: 'Another request is sending this very upload.',
				retryable: true,
			});
		}
		return filePath;
	}

	#partPath(part: {readonly path: string; readonly totalBytes: number; readonly sha256?: string | undefined}): string {
		const key = createHash('sha256')
			.update(JSON.stringify([part.path, part.totalBytes, part.sha256]))
			.digest('hex');
		return join(this.#options.directory, `${key}.part`);
	}

	async #sizeOf(filePath: string): Promise<number> {
		try {
			return (await stat(filePath)).size;
		} catch (error) {
			if (hasCode(error, 'ENOENT')) {
				return 0;
			}
			throw error;
		}
	}

	async #refuseWrongOffset(part: UploadPart, filePath: string): Promise<void> {
		const offsetBytes = await this.#sizeOf(filePath);
		if (part.startBytes > offsetBytes) {
			throw headendError('HEADEND_UPLOAD_OFFSET', {
				status: 409,
				message: `This upload goes on at byte ${offsetBytes}.`,
				details: {offsetBytes},
				retryable: true,
			});
		}
	}

	async #refuseWrongDigest(part: UploadPart, received: ReceivedBody, filePath: string): Promise<void> {
		if (part.sha256 !== undefined && part.sha256 !== received.sha256) {
			await rm(filePath, {force: true});
			throw headendError('HEADEND_DIGEST_MISMATCH', {
				status: 400,
				message: 'The bytes that arrived are not those of Repr-Digest; send them again from the start.',
				details: {promised: part.sha256, received: received.sha256},
				retryable: true,
			});
		}
	}

	#reserve(bytes: number): void {
		const {contentBytesMax, ownedBytes} = this.#options;
		if (ownedBytes() + this.#receivingBytes + this.#partialBytes + bytes > contentBytesMax) {
			throw new CodedError('HTTP_STORAGE_FULL', {
				message: 'The quota catalogue.contentBytesMax is used up; remove objects and send again.',
				details: {contentBytesMax},
				retryable: true,
			});
		}
		this.#receivingBytes += bytes;
	}
}
