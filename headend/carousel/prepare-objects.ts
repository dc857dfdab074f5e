import {hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {refuseChanged, type TransportObject, toTransportObject} from '#headend/carousel/transport-object.ts';
import type {TransportSession} from '#headend/carousel/transport-session.ts';
import type {FdtFile} from '#headend/carousel/write-fdt.ts';
import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';

/** Objects that stay prepared, and the compressed bytes that they may hold, so that each round need not start anew. */
const preparedMax = 20_000;
const preparedBytesMax = 64 * 2 ** 20;

/** One after the other, thousands of small files would each wait for a turn of the thread pool, and the uplink for them. */
const readsAtOnce = 32;

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

	/** In the order asked. Entries that cannot be sent now (their file vanished or changed) are left out. */
	async prepare(entries: readonly CatalogueEntry[]): Promise<readonly PreparedObject[]> {
		const ready = new Map<CatalogueEntry, PreparedObject>();
		const made: {readonly entry: CatalogueEntry; readonly object: TransportObject}[] = [];
		for (let from = 0; from < entries.length; from += readsAtOnce) {
			const read = entries.slice(from, from + readsAtOnce).map(async (entry) => {
				const known = this.#prepared.get(entry.path);
				const current = known?.entry.revision === entry.revision ? known : undefined;
				return {entry, current, object: await this.#read(entry, current)};
			});
			for (const {entry, current, object} of await Promise.all(read)) {
				if (object !== undefined && current !== undefined) {
					ready.set(entry, current);
				} else if (object !== undefined) {
					made.push({entry, object});
				}
			}
		}
		// Together, because each TOI that must be remembered costs a sync of the disk otherwise.
		const files = made.length === 0 ? [] : this.#session.describe(made.map(({object}) => object));
		for (const [index, {entry}] of made.entries()) {
			const file = files[index];
			if (file !== undefined) {
				ready.set(entry, this.#remember({entry, file}));
			}
		}
		return entries.flatMap((entry) => ready.get(entry) ?? []);
	}

	forget(path: string): void {
		const prepared = this.#prepared.get(path);
		if (prepared !== undefined) {
			this.#prepared.delete(path);
			this.#bytes -= bytesOf(prepared);
			this.#session.forget([prepared.file.object]);
		}
	}

	/** The object as it goes on air; what is prepared already is only looked at when its file is not our own. */
	async #read(entry: CatalogueEntry, current: PreparedObject | undefined): Promise<TransportObject | undefined> {
		try {
			if (current !== undefined) {
				if (entry.origin === 'directory') {
					await refuseChanged(entry);
				}
				return current.file.object;
			}
			return await toTransportObject(entry, {gzip: this.#gzip});
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
