import {join} from 'node:path';
import type {Database} from '#appliance/store/open-database.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {Catalogue} from '#headend/catalogue/catalogue.ts';
import {openHeadendDatabase} from '#headend/catalogue/catalogue-database.ts';
import {createCatalogueRepository} from '#headend/catalogue/catalogue-repository.ts';
import {ContentStore} from '#headend/catalogue/content-store.ts';
import {Uploads} from '#headend/catalogue/uploads.ts';
import type {HeadendConfig} from '#headend/config-schema.ts';

export type CatalogueStore = Disposable & {
	readonly database: Database;
	readonly catalogue: Catalogue;
	readonly contentStore: ContentStore;
	readonly uploads: Uploads;
};

/** Opens what the headend keeps below its state directory: the database, the files, the uploads on their way. */
export const openCatalogueStore = async (options: {
	readonly stateDirectory: string;
	readonly config: HeadendConfig['catalogue'];
	readonly clock: Clock;
}): Promise<CatalogueStore> => {
	const {stateDirectory, config, clock} = options;
	const database = openHeadendDatabase(join(stateDirectory, 'headend.sqlite'));
	try {
		const contentStore: ContentStore = new ContentStore({
			directory: join(stateDirectory, 'content'),
			isUsed: (filePath) => catalogue.usesFile(filePath),
		});
		const catalogue = new Catalogue({
			repository: createCatalogueRepository(database),
			clock,
			objectsMax: config.objectsMax,
			releaseFile: (filePath) => contentStore.release(filePath),
		});
		catalogue.load();
		await contentStore.start();
		const uploads = new Uploads({
			...config,
			directory: join(stateDirectory, 'uploads'),
			contentStore,
			clock,
			ownedBytes: () => catalogue.ownedBytes,
		});
		await uploads.start();
		return {database, catalogue, contentStore, uploads, [Symbol.dispose]: () => database.close()};
	} catch (error) {
		database.close();
		throw error;
	}
};
