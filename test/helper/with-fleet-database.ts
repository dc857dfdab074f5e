import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {type DatabaseEngine, type OpenFleetDatabase, openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';
import {type TestOwner, withDirectory} from '#test/helper/with-directory.ts';
import {createPostgresDatabase} from '#test/helper/with-postgres.ts';

export const databaseEngines: readonly DatabaseEngine[] = ['sqlite', 'postgres'];

/** The URL of an empty fleet database of the test's own, for servers that open it themselves. */
export const withFleetDatabaseUrl = async (t: TestOwner, engine: DatabaseEngine): Promise<string> =>
	engine === 'postgres' ? createPostgresDatabase() : `sqlite:${join(await withDirectory(t), 'fleet.db')}`;

/** An empty, migrated fleet database of the test's own, or another connection to one. */
export const withFleetDatabase = async (
	t: ExecutionContext,
	engine: DatabaseEngine,
	sharedUrl?: string,
): Promise<OpenFleetDatabase & {readonly url: string}> => {
	const url = sharedUrl ?? (await withFleetDatabaseUrl(t, engine));
	const open = await openFleetDatabase({url});
	t.teardown(async () => open[Symbol.asyncDispose]());
	return {...open, url};
};
