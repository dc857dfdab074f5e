import {hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {refuseChanged, toTransportObject} from '#headend/carousel/transport-object.ts';
import type {TransportSession} from '#headend/carousel/transport-session.ts';
import type {FdtFile} from '#headend/carousel/write-fdt.ts';
import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';

/** Objects that stay prepared, and the compressed bytes that they may hold, so that each round need not start anew. */
const preparedMax = 20_000;
const preparedBytesMax = 64 * 2 ** 20;

export type PreparedObject = {readonly entry: CatalogueEntry; readonly file: FdtFile};

/** Makes entries ready to be sent in one session, and remembers what it made. */
export class ObjectPreparer {
	readonly #session: TransportSession;
	readonly #gzip: boolean;
	readonly #logger: Logger;
	readonly #onChanged: (entry: CatalogueEntry) => void;
	readonly #prepared = new Map<string, PreparedObject>();
	#bytes = 0;

	constructor(options: {
		readonly session: TransportSession;
		readonly gzip: boolean;
		readonly logger: Logger;
		/** Told of an entry whose file is no longer what was hashed. */
		readonly onChanged: (entry: CatalogueEntry) => void;
	}) {
		this.#session = options.session;
		this.#gzip = options.gzip;
		this.#logger = options.logger;
		this.#onChanged = options.onChanged;
	}

	/** Entries that cannot be sent now (their file vanished or changed) are left out. */
	async prepare(entries: readonly CatalogueEntry[]): Promise<readonly PreparedObject[]> {
		const ready: PreparedObject[] = [];
		for (const entry of entries) {
			const prepared = await this.#prepareOne(entry);
			if (prepared !== undefined) {
				ready.push(prepared);
			}
		}
		return ready;
	}

	forget(path: string): void {
		const prepared = this.#prepared.get(path);
		if (prepared !== undefined) {
			this.#prepared.delete(path);
			this.#bytes -= bytesOf(prepared);
			this.#session.forget([prepared.file.object]);
		}
	}

	async #prepareOne(entry: CatalogueEntry): Promise<PreparedObject | undefined> {
		const known = this.#prepared.get(entry.path);
		try {
			if (known !== undefined && known.entry.revision === entry.revision) {
				if (entry.origin === 'directory') {
					await refuseChanged(entry);
				}
				return known;
			}
			const object = await toTransportObject(entry, {gzip: this.#gzip});
			const [file] = this.#session.describe([object]);
			return file === undefined ? undefined : this.#remember({entry, file});
		} catch (error) {
			if (!hasCode(error, 'HEADEND_SOURCE_CHANGED', 'ENOENT')) {
				throw error;
			}
			this.#logger.warn({err: error, path: entry.path}, 'an object is not sent because its file changed');
			this.#onChanged(entry);
			return undefined;
		}
	}

	#remember(prepared: PreparedObject): PreparedObject {
		const before = this.#prepared.get(prepared.entry.path);
		if (before !== undefined) {
			this.#prepared.delete(prepared.entry.path);
			this.#bytes -= bytesOf(before);
			if (before.file.toi !== prepared.file.toi) {
				this.#session.forget([before.file.object]);
			}
		}
		this.#prepared.set(prepared.entry.path, prepared);
		this.#bytes += bytesOf(prepared);
		for (const [path, oldest] of this.#prepared) {
			if (this.#prepared.size <= preparedMax && this.#bytes <= preparedBytesMax) {
				break;
			}
			this.#prepared.delete(path);
			this.#bytes -= bytesOf(oldest);
		}
		return prepared;
	}
}

const bytesOf = ({file}: PreparedObject): number =>
	file.object.source.kind === 'bytes' ? file.object.source.bytes.length : 0;
