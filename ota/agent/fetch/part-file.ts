import {createHash, type Hash} from 'node:crypto';
import {constants} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import type {FetchedBytes} from '#appliance/contract/fleet/update-schema.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {FetchProgress} from '#ota/agent/agent-store.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import {addRange, missingRanges, type RangeSet, removeRange} from '#ota/agent/fetch/range-set.ts';

const readBytes = 1024 ** 2;
/** Progress is written at least so often, so that time spent waiting is not forgotten. */
const checkpointIntervalMs = 30_000;
/** A file in more pieces than this is kept in the first ones; the others are fetched again. */
const rangesMax = 4096;

export type PartFileOptions = {
	readonly path: string;
	readonly orderId: string;
	readonly sha256: string;
	readonly sizeBytes: number;
	readonly byteBudgetBytes: number;
	readonly progress: FetchProgress | undefined;
	readonly keepProgress: (progress: FetchProgress) => void;
	readonly checkpointBytes: number;
	readonly clock: Clock;
};

/**
 * The file that a bundle is fetched into, with holes. What its progress claims was synced before; what the order has cost
 * is counted as it comes. The digest runs along with what is whole from the beginning on.
 */
export class PartFile implements AsyncDisposable {
	readonly #options: PartFileOptions;
	readonly #handle: FileHandle;
	readonly #startedMs: number;
	#ranges: RangeSet;
	#bytes: FetchedBytes;
	#spentMs: number;
	#unsaved = 0;
	#savedMs: number;
	#hash: Hash = createHash('sha256');
	#hashed = 0;
	entityTag: string | undefined;

	constructor(options: PartFileOptions, handle: FileHandle, progress: FetchProgress | undefined) {
		this.#options = options;
		this.#handle = handle;
		this.#ranges = progress?.ranges ?? [];
		this.#bytes = progress?.bytes ?? {carousel: 0, local: 0, unicast: 0};
		this.#spentMs = progress?.spentMs ?? 0;
		this.#startedMs = options.clock.monotonicMs();
		this.#savedMs = this.#startedMs;
		this.entityTag = progress?.entityTag;
	}

	static async open(options: PartFileOptions): Promise<PartFile> {
		const {progress, sha256, sizeBytes} = options;
		const handle = await open(options.path, constants.O_RDWR | constants.O_CREAT, 0o600);
		try {
			const {size} = await handle.stat();
			const same = progress !== undefined && progress.sha256 === sha256 && size === sizeBytes;
			await handle.truncate(sizeBytes);
			// The cost stays the order's, whatever became of the file.
			const kept = progress === undefined || same ? progress : {...progress, ranges: [], entityTag: undefined};
			return new PartFile(options, handle, kept);
		} catch (error) {
			await handle.close();
			throw error;
		}
	}

	bytes = (): FetchedBytes => this.#bytes;
	spentMs = (): number => this.#spentMs + this.#options.clock.monotonicMs() - this.#startedMs;
	missing = (from = 0, to = this.#options.sizeBytes): RangeSet => missingRanges(this.#ranges, from, to);
	isWhole = (): boolean => this.missing().length === 0;
	budgetLeft = (): number => this.#options.byteBudgetBytes - this.#bytes.unicast;

	/** Counts what came over the air or the line, useful or not. What was on the box is there again after a cut of power. */
	count(origin: keyof FetchedBytes, bytes: number): void {
		this.#bytes = {...this.#bytes, [origin]: this.#bytes[origin] + bytes};
		this.#unsaved += origin === 'local' ? 0 : bytes;
	}

	async write(offset: number, bytes: Uint8Array): Promise<void> {
		try {
			for (let written = 0; written < bytes.length; ) {
				const {bytesWritten} = await this.#handle.write(bytes, written, bytes.length - written, offset + written);
				written += bytesWritten;
			}
		} catch (error) {
			throw hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG') ? noRoom(error) : error;
		}
		if (offset === this.#hashed) {
			this.#hash.update(bytes);
			this.#hashed += bytes.length;
		}
		this.#ranges = addRange(this.#ranges, offset, offset + bytes.length);
		await this.checkpointIfDue();
	}

	async checkpointIfDue(): Promise<void> {
		const late = this.#options.clock.monotonicMs() - this.#savedMs >= checkpointIntervalMs;
		if (this.#unsaved >= this.#options.checkpointBytes || late) {
			await this.checkpoint();
		}
	}

	async checkpoint(): Promise<void> {
		try {
			await this.#handle.datasync();
		} catch (error) {
			throw hasCode(error, 'ENOSPC', 'EDQUOT') ? noRoom(error) : error;
		}
		const {orderId, sha256, keepProgress, clock} = this.#options;
		keepProgress({
			orderId,
			sha256,
			ranges: this.#ranges.slice(0, rangesMax).map(([from, to]) => [from, to]),
			bytes: this.#bytes,
			spentMs: Math.round(this.spentMs()),
			...(this.entityTag === undefined ? {} : {entityTag: this.entityTag}),
		});
		this.#unsaved = 0;
		this.#savedMs = clock.monotonicMs();
	}

	/** Forgets bytes that turned out to be wrong. */
	discard(from = 0, to = this.#options.sizeBytes): void {
		this.#ranges = removeRange(this.#ranges, from, to);
		if (from < this.#hashed) {
			this.#hash = createHash('sha256');
			this.#hashed = 0;
		}
		if (from === 0 && to === this.#options.sizeBytes) {
			this.entityTag = undefined;
		}
	}

	async read(offset: number, length: number): Promise<Buffer> {
		const buffer = Buffer.allocUnsafe(length);
		const {bytesRead} = await this.#handle.read(buffer, 0, length, offset);
		return buffer.subarray(0, bytesRead);
	}

	/** SHA-256 of the whole; only what did not come in order is read again. */
	async digest(signal: AbortSignal): Promise<string> {
		while (this.#hashed < this.#options.sizeBytes) {
			signal.throwIfAborted();
			const piece = await this.read(this.#hashed, Math.min(readBytes, this.#options.sizeBytes - this.#hashed));
			if (piece.length === 0) {
				break;
			}
			this.#hash.update(piece);
			this.#hashed += piece.length;
		}
		return this.#hash.copy().digest('hex');
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#handle.close();
	}
}

const noRoom = (cause: unknown): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>('OTA_FAILED_ROOM', {message: 'The disk is full.', cause, retryable: true});
