import type {IncomingMessage} from 'node:http';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {DiagnosticsServerErrorCode} from '#ota/fleet/diagnostics/diagnostics-error.ts';
import type {DiagnosticsLimits} from '#ota/fleet/diagnostics/diagnostics-limits.ts';
import {
	bytesOfBox,
	type DiagnosticsRow,
	findItem,
	noteFailed,
	noteReady,
	noteReceived,
} from '#ota/fleet/diagnostics/diagnostics-repository.ts';
import type {ItemStore} from '#ota/fleet/diagnostics/item-store.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';

/** A box that is silent for so long may come back and go on. */
const bodyIdleMs = 30_000;

export type UploadPart = {
	readonly id: string;
	readonly box: string;
	readonly request: IncomingMessage;
	readonly offsetBytes: number;
	readonly lengthBytes: number;
	readonly totalBytes: number;
	readonly last: boolean;
	readonly sha256: string | undefined;
};

export type UploadState = {readonly offsetBytes: number; readonly complete: boolean};

export type UploadsOptions = {
	readonly context: Pick<FleetContext, 'store' | 'clock' | 'changes'>;
	readonly items: ItemStore;
	readonly limits: DiagnosticsLimits;
};

/**
 * What boxes send, growing until it is whole and its digest is right. The store of items knows how much was received; the
 * database only tells people. One request of this server writes an item at a time; among servers the store decides.
 */
export class Uploads {
	readonly #options: UploadsOptions;
	readonly #busy = new Set<string>();

	constructor(options: UploadsOptions) {
		this.#options = options;
	}

	async offset({id, box}: {readonly id: string; readonly box: string}): Promise<UploadState> {
		const row = await this.#awaited(id, box);
		return row.state === 'ready'
			? {offsetBytes: row.size_bytes, complete: true}
			: {offsetBytes: await this.#options.items.receivedBytes(id), complete: false};
	}

	async append(part: UploadPart): Promise<UploadState> {
		const {id, box} = part;
		const row = await this.#awaited(id, box);
		if (row.state === 'ready') {
			throw refusal('OTA_UPLOAD_OVER', 409, 'This upload is complete.');
		}
		if (this.#busy.has(id)) {
			throw refusal('OTA_UPLOAD_BUSY', 409, 'Another request is sending this very upload.');
		}
		this.#busy.add(id);
		try {
			await this.#refuse(part);
			const sizeBytes = await this.#write(part);
			return part.last ? await this.#finish(part, sizeBytes) : await this.#goOn(id, sizeBytes);
		} finally {
			this.#busy.delete(id);
		}
	}

	/** The same answer for an upload that is not there and one that is another box's. */
	async #awaited(id: string, box: string): Promise<DiagnosticsRow> {
		const row = await findItem(this.#options.context.store.database, id);
		if (row === undefined || row.box !== box || row.kind === 'recording') {
			throw refusal('OTA_UPLOAD_UNKNOWN', 404, 'Nobody awaits this upload.');
		}
		if (row.state === 'failed') {
			throw refusal('OTA_UPLOAD_OVER', 410, 'This upload is not awaited any more.');
		}
		return row;
	}

	async #refuse({id, box, offsetBytes, lengthBytes, totalBytes, last}: UploadPart): Promise<void> {
		const {limits, context} = this.#options;
		const endBytes = offsetBytes + lengthBytes;
		if (endBytes > totalBytes || (last && endBytes !== totalBytes)) {
			throw refusal('OTA_UPLOAD_INVALID', 400, 'The part does not end where Upload-Length says.');
		}
		if (totalBytes > limits.uploadBytesMax) {
			throw refusal('OTA_UPLOAD_TOO_LARGE', 413, `An upload may have ${limits.uploadBytesMax} bytes.`);
		}
		if ((await bytesOfBox(context.store.database, box, id)) + totalBytes > limits.boxBytesMax) {
			throw refusal('OTA_UPLOAD_QUOTA', 413, 'What is kept of this box is as much as may be: delete some of it.');
		}
		if (offsetBytes !== (await this.#options.items.receivedBytes(id))) {
			throw refusal('OTA_UPLOAD_OFFSET', 409, 'The upload goes on elsewhere: ask for its offset.');
		}
	}

	async #write({id, request, offsetBytes, lengthBytes}: UploadPart): Promise<number> {
		request.setTimeout(bodyIdleMs, () => request.destroy());
		try {
			const position = await this.#options.items.append(id, {offsetBytes, body: atMost(request, lengthBytes)});
			if (position < offsetBytes + lengthBytes) {
				throw refusal('OTA_UPLOAD_SHORT', 408, 'The part ended before its length.');
			}
			return position;
		} finally {
			request.setTimeout(0);
		}
	}

	async #goOn(id: string, offsetBytes: number): Promise<UploadState> {
		await noteReceived(this.#options.context.store.database, id, offsetBytes);
		this.#tell(id);
		return {offsetBytes, complete: false};
	}

	async #finish({id, sha256}: UploadPart, sizeBytes: number): Promise<UploadState> {
		const {items, context} = this.#options;
		const {store, clock} = context;
		if (sha256 !== undefined && (await items.digest(id)) !== sha256) {
			await items.remove(id);
			await noteFailed(store.database, id, {code: 'OTA_UPLOAD_DIGEST', message: 'What arrived is not what was sent.'});
			this.#tell(id);
			throw refusal('OTA_UPLOAD_DIGEST', 422, 'What arrived is not what Repr-Digest promises.');
		}
		await items.finish(id);
		await noteReady(store.database, {id, sizeBytes, nowMs: clock.nowMs()});
		this.#tell(id);
		return {offsetBytes: sizeBytes, complete: true};
	}

	#tell(id: string): void {
		this.#options.context.changes.publish({kind: 'diagnostics', ids: [id]});
	}
}

async function* atMost(body: AsyncIterable<Buffer>, lengthBytes: number): AsyncGenerator<Buffer, void, void> {
	let receivedBytes = 0;
	for await (const chunk of body) {
		receivedBytes += chunk.length;
		if (receivedBytes > lengthBytes) {
			throw refusal('OTA_UPLOAD_INVALID', 400, 'The part is longer than it says.');
		}
		yield chunk;
	}
}

const refusal = (code: DiagnosticsServerErrorCode, status: number, message: string) =>
	apiError<DiagnosticsServerErrorCode>(code, {status, message});
