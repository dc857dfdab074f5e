import type {Dirent, Stats} from 'node:fs';
import {readdir, stat} from 'node:fs/promises';
import {join, relative, resolve, sep} from 'node:path';
import {hasCode} from '#appliance/error/coded-error.ts';
import {contentTypeOf} from '#appliance/http/content-type-of.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {Catalogue} from '#headend/catalogue/catalogue.ts';
import type {CataloguePut} from '#headend/catalogue/catalogue-entry.ts';
import {assertWritable, type CataloguePath, parseCataloguePath} from '#headend/catalogue/catalogue-path.ts';
import {objectFormOf} from '#headend/catalogue/object-form.ts';
import {digestFile} from '#headend/catalogue/receive-body.ts';

export type DirectoryScannerOptions = {
	readonly catalogue: Catalogue;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly directory: string | undefined;
	readonly objectBaseUri: string;
	readonly settleMs: number;
	readonly priority: 'high' | 'medium' | 'low';
	readonly filesMax: number;
	readonly signal: AbortSignal;
};

/** What was found is taken in together, so many or after so long. */
const foundAtOnceMax = 500;
const foundWaitMs = 250;

type Found = CataloguePath & {readonly filePath: string};

/** One look at a folder: what is new or changed and at rest is hashed and taken in; what has gone is taken out. */
export class DirectoryScanner {
	readonly #options: DirectoryScannerOptions;
	/** Sizes and times seen by the last look, of files that were not at rest then. */
	#settling = new Map<string, {readonly sizeBytes: number; readonly modifiedMs: number}>();
	readonly #refused = new Set<string>();
	#found: CataloguePut[] = [];
	#flushedMs = 0;

	constructor(options: DirectoryScannerOptions) {
		this.#options = options;
	}

	/** The box is no longer told of a folder. */
	clear(): void {
		this.#removeAllBut(new Set());
	}

	async scan(): Promise<{readonly isSettling: boolean}> {
		const {directory, signal} = this.#options;
		if (directory === undefined) {
			return {isSettling: false};
		}
		const seen = new Set<string>();
		const settling = new Map<string, {readonly sizeBytes: number; readonly modifiedMs: number}>();
		for (const found of await this.#list(resolve(directory))) {
			signal.throwIfAborted();
			seen.add(found.path);
			const file = await statOf(found.filePath);
			if (file?.isFile() === true && !(await this.#takeIn(found, file))) {
				settling.set(found.path, {sizeBytes: file.size, modifiedMs: file.mtimeMs});
			}
		}
		this.#flush();
		this.#settling = settling;
		this.#removeAllBut(seen);
		return {isSettling: settling.size > 0};
	}

	/** Links are not followed: what the folder holds is what is sent. */
	async #list(directory: string): Promise<Found[]> {
		const found: Found[] = [];
		for (const file of await readdir(directory, {recursive: true, withFileTypes: true})) {
			const filePath = join(file.parentPath, file.name);
			const where = file.isFile() ? this.#pathOf(file, relative(directory, filePath)) : undefined;
			if (where !== undefined) {
				found.push({...where, filePath});
			}
			if (found.length > this.#options.filesMax) {
				this.#options.logger.error(
					{filesMax: this.#options.filesMax},
					'the folder holds more files than the catalogue takes',
				);
				break;
			}
		}
		// Service files and manifests are small and say what the rest is.
		return found.sort((a, b) => (a.path < b.path ? -1 : 1));
	}

	/** Hidden files are half-written ones of tools such as rsync. */
	#pathOf(file: Dirent, relativePath: string): CataloguePath | undefined {
		const segments = relativePath.split(sep);
		if (segments.some((segment) => segment.startsWith('.'))) {
			return undefined;
		}
		try {
			const where = parseCataloguePath(
				segments.map((segment) => encodeURIComponent(segment)).join('/'),
				this.#options.objectBaseUri,
			);
			assertWritable(where);
			return where;
		} catch (error) {
			if (!this.#refused.has(relativePath)) {
				this.#refused.add(relativePath);
				this.#options.logger.warn({err: error, file: file.name}, 'a file in the folder cannot be an object');
			}
			return undefined;
		}
	}

	/** False when the file is not at rest yet. */
	async #takeIn(found: Found, file: Stats): Promise<boolean> {
		const {catalogue, signal} = this.#options;
		const before = catalogue.get(found.path);
		// Somebody put an object there by HTTP; that was later, and on purpose.
		if (before !== undefined && before.origin !== 'directory') {
			return true;
		}
		if (before?.filePath === found.filePath && before.sizeBytes === file.size && before.modifiedMs === file.mtimeMs) {
			return true;
		}
		if (!this.#isAtRest(found.path, file)) {
			return false;
		}
		const body = await digestFile(found.filePath, {expectedBytes: file.size, signal}).catch((error: unknown) => {
			if (hasCode(error, 'ENOENT', 'EACCES', 'EISDIR')) {
				return undefined;
			}
			throw error;
		});
		const after = await statOf(found.filePath);
		if (body === undefined || after === undefined || after.mtimeMs !== file.mtimeMs || after.size !== body.sizeBytes) {
			return false;
		}
		const contentType = contentTypeOf(decodeURIComponent(found.path));
		const form = objectFormOf({contentType, ...body});
		this.#put({
			path: found.path,
			uri: found.uri,
			sizeBytes: body.sizeBytes,
			sha256: body.sha256,
			md5: body.md5,
			contentType,
			// Without its manifests and initialisation segments nothing of a title can be played.
			priority: form === undefined ? this.#options.priority : 'high',
			filePath: found.filePath,
			origin: 'directory',
			modifiedMs: file.mtimeMs,
			form,
		});
		return true;
	}

	/** Ten thousand small files would otherwise be ten thousand syncs of the disk. */
	#put(put: CataloguePut): void {
		this.#found.push(put);
		if (this.#found.length >= foundAtOnceMax || performance.now() - this.#flushedMs > foundWaitMs) {
			this.#flush();
		}
	}

	#flush(): void {
		const found = this.#found;
		this.#found = [];
		this.#flushedMs = performance.now();
		this.#options.catalogue.together(() => {
			for (const put of found) {
				// Somebody may have put an object there by HTTP while this waited.
				if ((this.#options.catalogue.get(put.path)?.origin ?? 'directory') === 'directory') {
					this.#takePut(put);
				}
			}
		});
	}

	#takePut(put: CataloguePut): void {
		try {
			this.#options.catalogue.put(put);
		} catch (error) {
			if (!hasCode(error, 'HEADEND_OBJECTS_TOO_MANY')) {
				throw error;
			}
			this.#options.logger.error({err: error, path: put.path}, 'a file of the folder has no place in the catalogue');
		}
	}

	/** Old enough, or the same as at the last look when the writer's clock is not ours. */
	#isAtRest(path: string, file: Stats): boolean {
		const {clock, settleMs} = this.#options;
		const ageMs = clock.nowMs() - Math.max(file.mtimeMs, file.ctimeMs);
		const last = this.#settling.get(path);
		return ageMs >= settleMs || (ageMs < 0 && last?.sizeBytes === file.size && last.modifiedMs === file.mtimeMs);
	}

	#removeAllBut(seen: ReadonlySet<string>): void {
		const {catalogue} = this.#options;
		const gone = [...catalogue.entries()].filter(({origin, path}) => origin === 'directory' && !seen.has(path));
		if (gone.length > 0) {
			catalogue.together(() => {
				for (const {path} of gone) {
					catalogue.remove(path);
				}
			});
		}
	}
}

const statOf = (filePath: string): Promise<Stats | undefined> => stat(filePath).catch(() => undefined);
