import {unlinkSync} from 'node:fs';
import {mkdir, open, readdir, rename, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {hasCode} from '#appliance/error/coded-error.ts';

/**
 * The files that the headend owns, named by their digest: `<directory>/<first two digits>/<sha256>`. A file lives while
 * an entry of the catalogue uses it or somebody holds it (the carousel in mid-transmission, an upload about to commit),
 * so that a deleted or replaced object is never torn on air.
 */
export class ContentStore {
	readonly #directory: string;
	readonly #isUsed: (filePath: string) => boolean;
	readonly #holds = new Map<string, number>();

	constructor(options: {readonly directory: string; readonly isUsed: (filePath: string) => boolean}) {
		this.#directory = options.directory;
		this.#isUsed = options.isUsed;
	}

	/** Makes the folders and removes what a crash left without an entry. */
	async start(): Promise<void> {
		await mkdir(this.#directory, {recursive: true});
		for (const file of await readdir(this.#directory, {recursive: true, withFileTypes: true})) {
			const filePath = join(file.parentPath, file.name);
			if (file.isFile() && !this.#isUsed(filePath)) {
				await rm(filePath, {force: true});
			}
		}
	}

	pathOf(sha256: string): string {
		return join(this.#directory, sha256.slice(0, 2), sha256);
	}

	/** While held a file is not removed, whatever becomes of its entry. */
	hold(filePath: string): Disposable {
		this.#holds.set(filePath, (this.#holds.get(filePath) ?? 0) + 1);
		let held = true;
		return {
			[Symbol.dispose]: () => {
				if (!held) {
					return;
				}
				held = false;
				const holds = (this.#holds.get(filePath) ?? 1) - 1;
				if (holds > 0) {
					this.#holds.set(filePath, holds);
				} else {
					this.#holds.delete(filePath);
				}
				this.release(filePath);
			},
		};
	}

	/**
	 * Takes a complete, synced file in. The folder is synced as well: after a power cut an entry must find its bytes.
	 * The caller holds the path until its entry is in the catalogue.
	 */
	async adopt(temporaryPath: string, sha256: string): Promise<string> {
		const filePath = this.pathOf(sha256);
		const folder = dirname(filePath);
		await mkdir(folder, {recursive: true});
		await rename(temporaryPath, filePath);
		const handle = await open(folder, 'r');
		try {
			await handle.sync();
		} finally {
			await handle.close();
		}
		return filePath;
	}

	/** Removes the file when nobody needs it. Synchronous, so that no upload of the same bytes slips in between. */
	release(filePath: string): void {
		if (!filePath.startsWith(this.#directory) || this.#holds.has(filePath) || this.#isUsed(filePath)) {
			return;
		}
		try {
			unlinkSync(filePath);
		} catch (error) {
			if (!hasCode(error, 'ENOENT')) {
				throw error;
			}
		}
	}
}
