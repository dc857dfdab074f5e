import type {Migration} from 'kysely/migration';
import {commandMigration} from '#ota/fleet/store/migration/command.ts';
import {registryMigration} from '#ota/fleet/store/migration/registry.ts';

/** In this order, by name. A migration that was released is never edited: append another. */
export const migrations: Readonly<Record<string, Migration>> = {
	'0001-registry': registryMigration,
	'0006-command': commandMigration,
};
