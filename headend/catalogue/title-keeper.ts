import {readFile} from 'node:fs/promises';
import type {Title} from '#appliance/contract/title-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Catalogue} from '#headend/catalogue/catalogue.ts';
import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';
import {deriveTitles} from '#headend/catalogue/derive-titles.ts';
import {
	type ServiceFile,
	serviceFileBytesMax,
	serviceFileName,
	serviceFileSchema,
} from '#headend/catalogue/service-file-schema.ts';
import type {IngestConfig} from '#headend/ingest/ingest-config-schema.ts';

/** Keeps the list of titles up to date with the catalogue. `refresh` answers whether it changed. */
export class TitleKeeper {
	readonly #catalogue: Catalogue;
	readonly #objectBaseUri: string;
	readonly #channels: IngestConfig['channels'];
	readonly #logger: Logger;
	readonly #parsed = new Map<string, {readonly sha256: string; readonly file: ServiceFile | undefined}>();
	#titles: readonly Title[] = [];
	#text = '[]';

	constructor(options: {
		readonly catalogue: Catalogue;
		readonly objectBaseUri: string;
		readonly channels: IngestConfig['channels'];
		readonly logger: Logger;
	}) {
		this.#catalogue = options.catalogue;
		this.#objectBaseUri = options.objectBaseUri;
		this.#channels = options.channels;
		this.#logger = options.logger;
	}

	get titles(): readonly Title[] {
		return this.#titles;
	}

	/** Whether a change of this entry can change the list. */
	static concerns(entry: CatalogueEntry): boolean {
		return (
			(entry.form !== undefined && entry.form !== 'init') ||
			isServiceFile(entry) ||
			entry.contentType.startsWith('image/')
		);
	}

	async refresh(): Promise<boolean> {
		const serviceFiles = new Map<string, ServiceFile>();
		const seen = new Set<string>();
		for (const entry of [...this.#catalogue.entries()].filter(isServiceFile)) {
			seen.add(entry.path);
			const file = await this.#parse(entry);
			if (file !== undefined) {
				serviceFiles.set(entry.path.slice(0, -serviceFileName.length), file);
			}
		}
		for (const path of this.#parsed.keys()) {
			if (!seen.has(path)) {
				this.#parsed.delete(path);
			}
		}
		this.#titles = deriveTitles({
			objectBaseUri: this.#objectBaseUri,
			entries: this.#catalogue.entries(),
			serviceFiles,
			channels: this.#channels,
		});
		const text = JSON.stringify(this.#titles);
		const changed = text !== this.#text;
		this.#text = text;
		return changed;
	}

	async #parse(entry: CatalogueEntry): Promise<ServiceFile | undefined> {
		const known = this.#parsed.get(entry.path);
		if (known?.sha256 === entry.sha256) {
			return known.file;
		}
		let file: ServiceFile | undefined;
		try {
			file = serviceFileSchema.parse(JSON.parse(await readFile(entry.filePath, 'utf8')));
		} catch (error) {
			this.#logger.warn(
				{err: error, path: entry.path},
				'a service.json is not understood; its folder goes by its own name',
			);
		}
		this.#parsed.set(entry.path, {sha256: entry.sha256, file});
		return file;
	}
}

const isServiceFile = ({path, sizeBytes}: CatalogueEntry): boolean =>
	(path === serviceFileName || path.endsWith(`/${serviceFileName}`)) && sizeBytes <= serviceFileBytesMax;
