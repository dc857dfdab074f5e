import type {CatalogueChange} from '#appliance/contract/catalogue-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {type CatalogueEntry, type CataloguePut, toCatalogueObject} from '#headend/catalogue/catalogue-entry.ts';
import type {CatalogueRepository} from '#headend/catalogue/catalogue-repository.ts';
import {headendError} from '#headend/error-code.ts';

/** Deletions remembered for feeds that come back; a feed that slept through more must list again. */
const tombstonesMax = 20_000;
const tombstonesPrunedAtOnce = 5000;

export type CatalogueListener = (change: CatalogueChange, entry: CatalogueEntry) => void;
export type PutResult = {readonly kind: 'created' | 'replaced' | 'unchanged'; readonly entry: CatalogueEntry};

/**
 * What is on offer, whole in memory and durable in SQLite. Synchronous throughout, so that a change and its revision are
 * one step for everybody who looks. It owns no bytes: `release` tells the content store of a file that no entry uses.
 */
export class Catalogue {
	readonly #repository: CatalogueRepository;
	readonly #clock: Clock;
	readonly #objectsMax: number;
	readonly #releaseFile: (filePath: string) => void;
	readonly #entries = new Map<string, CatalogueEntry>();
	readonly #usersOfFile = new Map<string, number>();
	readonly #listeners = new Set<CatalogueListener>();
	#revision = 0;
	#feedHorizon = 0;
	#ownedBytes = 0;

	constructor(options: {
		readonly repository: CatalogueRepository;
		readonly clock: Clock;
		readonly objectsMax: number;
		/** Called when no entry uses a file any longer. */
		readonly releaseFile: (filePath: string) => void;
	}) {
		this.#repository = options.repository;
		this.#clock = options.clock;
		this.#objectsMax = options.objectsMax;
		this.#releaseFile = options.releaseFile;
	}

	/**
	 * Reads what was there before and has not expired. Live objects stay too: an encoder that outlived our restart does not
	 * send its initialisation segments again.
	 */
	load(): void {
		this.#revision = this.#repository.revision();
		this.#feedHorizon = this.#repository.feedHorizon();
		for (const entry of this.#repository.all()) {
			this.#enter(entry);
		}
		this.expire();
	}

	get revision(): number {
		return this.#revision;
	}
	get size(): number {
		return this.#entries.size;
	}
	/** Bytes of files that the headend itself keeps. */
	get ownedBytes(): number {
		return this.#ownedBytes;
	}

	get(path: string): CatalogueEntry | undefined {
		return this.#entries.get(path);
	}
	entries(): IterableIterator<CatalogueEntry> {
		return this.#entries.values();
	}
	/** Entries by path after `after`; asked of SQLite, whose index is sorted already. */
	page({after, limit}: {readonly after: string; readonly limit: number}): {
		readonly entries: readonly CatalogueEntry[];
		readonly more: boolean;
	} {
		const rows = this.#repository.page(after, limit + 1);
		return {entries: rows.slice(0, limit), more: rows.length > limit};
	}
	usesFile(filePath: string): boolean {
		return this.#usersOfFile.has(filePath);
	}

	/** @throws CodedError HEADEND_OBJECTS_TOO_MANY */
	put(put: CataloguePut): PutResult {
		const before = this.#entries.get(put.path);
		if (before === undefined && this.#entries.size >= this.#objectsMax) {
			throw headendError('HEADEND_OBJECTS_TOO_MANY', {
				status: 507,
				message: 'The catalogue is full; remove objects or raise catalogue.objectsMax.',
				details: {objectsMax: this.#objectsMax},
			});
		}
		if (before !== undefined && isSame(before, put)) {
			return {kind: 'unchanged', entry: before};
		}
		this.#revision += 1;
		const entry: CatalogueEntry = {
			...put,
			revision: this.#revision,
			order: before?.order ?? this.#revision,
			storedMs: this.#clock.nowMs(),
		};
		this.#repository.put(entry);
		this.#enter(entry);
		if (before !== undefined) {
			this.#leave(before);
		}
		this.#tell({kind: 'put', object: toCatalogueObject(entry)}, entry);
		return {kind: before === undefined ? 'created' : 'replaced', entry};
	}

	/** Many changes with one sync of the disk; `changes` must not wait for anything. */
	together(changes: () => void): void {
		this.#repository.together(changes);
	}

	remove(path: string): CatalogueEntry | undefined {
		const entry = this.#entries.get(path);
		if (entry === undefined) {
			return undefined;
		}
		this.#revision += 1;
		this.#repository.remove(path, this.#revision);
		this.#entries.delete(path);
		this.#leave(entry);
		this.#pruneTombstones();
		this.#tell({kind: 'delete', path, revision: this.#revision}, entry);
		return entry;
	}

	/** Removes what has expired by now; answers how many. */
	expire(): number {
		const nowMs = this.#clock.nowMs();
		const expired = [...this.#entries.values()].filter(({expiresMs}) => expiresMs !== undefined && expiresMs <= nowMs);
		if (expired.length > 0) {
			this.together(() => {
				for (const {path} of expired) {
					this.remove(path);
				}
			});
		}
		return expired.length;
	}

	/** Everything after `revision` in order. @throws CodedError HEADEND_FEED_GONE */
	changesSince(revision: number): CatalogueChange[] {
		if (revision !== 0 && revision < this.#feedHorizon) {
			throw headendError('HEADEND_FEED_GONE', {
				status: 410,
				message: 'Deletions after that revision are forgotten; list the catalogue again.',
				details: {revision, horizon: this.#feedHorizon},
			});
		}
		const puts = [...this.#entries.values()]
			.filter((entry) => entry.revision > revision)
			.map((entry): CatalogueChange => ({kind: 'put', object: toCatalogueObject(entry)}));
		const deletions = this.#repository
			.tombstonesSince(revision)
			.map((tombstone): CatalogueChange => ({kind: 'delete', ...tombstone}));
		return [...puts, ...deletions].sort((a, b) => revisionOf(a) - revisionOf(b));
	}

	onChange(listener: CatalogueListener): Disposable {
		this.#listeners.add(listener);
		return {[Symbol.dispose]: () => void this.#listeners.delete(listener)};
	}

	#tell(change: CatalogueChange, entry: CatalogueEntry): void {
		for (const listener of [...this.#listeners]) {
			listener(change, entry);
		}
	}

	#enter(entry: CatalogueEntry): void {
		this.#entries.set(entry.path, entry);
		this.#usersOfFile.set(entry.filePath, (this.#usersOfFile.get(entry.filePath) ?? 0) + 1);
		this.#ownedBytes += entry.origin === 'directory' ? 0 : entry.sizeBytes;
	}

	#leave(entry: CatalogueEntry): void {
		this.#ownedBytes -= entry.origin === 'directory' ? 0 : entry.sizeBytes;
		const users = (this.#usersOfFile.get(entry.filePath) ?? 0) - 1;
		if (users > 0) {
			this.#usersOfFile.set(entry.filePath, users);
			return;
		}
		this.#usersOfFile.delete(entry.filePath);
		this.#releaseFile(entry.filePath);
	}

	#pruneTombstones(): void {
		if (this.#repository.countTombstones() > tombstonesMax) {
			this.#feedHorizon = Math.max(this.#feedHorizon, this.#repository.pruneTombstones(tombstonesPrunedAtOnce));
		}
	}
}

export const revisionOf = (change: CatalogueChange): number =>
	change.kind === 'put' ? change.object.revision : change.revision;

/** The same bytes under the same terms are no news; where they lie on our disk is nobody's business. */
const isSame = (before: CatalogueEntry, put: CataloguePut): boolean =>
	before.sha256 === put.sha256 &&
	before.contentType === put.contentType &&
	before.priority === put.priority &&
	before.service === put.service &&
	before.expiresMs === put.expiresMs &&
	before.freshUntilMs === put.freshUntilMs &&
	before.origin === put.origin &&
	(put.origin !== 'directory' || (before.filePath === put.filePath && before.modifiedMs === put.modifiedMs));
