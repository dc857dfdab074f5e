import {sql, type Transaction} from 'kysely';
import {
	type ReleaseManifest,
	type ReleaseVersion,
	releaseManifestSchema,
	type Sha256,
	sha256Schema,
} from '#appliance/contract/fleet/release-schema.ts';
import {type Release, type ReleaseState, releaseStates} from '#ota/contract/release-api.ts';
import type {FleetDatabase, FleetTables} from '#ota/fleet/store/fleet-database.ts';
import type {ReleaseTable} from '#ota/fleet/store/release-tables.ts';
import {type ArtifactNeed, releaseArtifacts} from '#ota/release/release-artifacts.ts';

type Queries = FleetDatabase | Transaction<FleetTables>;

/** A release as the database knows it; how much of its files is here, the store knows. */
export type StoredRelease = Omit<Release, 'artifacts' | 'boxes'> & {
	/** Base64, as signed. */
	readonly signedManifest: string;
	readonly signature: string;
};

export const readRelease = async (database: Queries, release: string): Promise<StoredRelease | undefined> => {
	const row = await database.selectFrom('release').selectAll().where('release', '=', release).executeTakeFirst();
	return row && toRelease(row);
};

export const listReleases = async (
	database: Queries,
	options: {
		readonly state: ReleaseState | undefined;
		readonly after: readonly [number, string] | undefined;
		readonly limit: number;
	},
): Promise<readonly StoredRelease[]> => {
	let query = database.selectFrom('release').selectAll();
	if (options.state !== undefined) {
		query = query.where('state', '=', options.state);
	}
	if (options.after !== undefined) {
		const [createdMs, release] = options.after;
		query = query.where(({eb, and, or}) =>
			or([eb('created_ms', '<', createdMs), and([eb('created_ms', '=', createdMs), eb('release', '<', release)])]),
		);
	}
	const rows = await query.orderBy('created_ms', 'desc').orderBy('release', 'desc').limit(options.limit).execute();
	return rows.map(toRelease);
};

/** False when a release of this version is known already. */
export const insertRelease = (
	database: FleetDatabase,
	release: Pick<ReleaseTable, 'manifest' | 'signature' | 'signer' | 'created_by' | 'created_ms'> & {
		readonly content: ReleaseManifest;
	},
): Promise<boolean> =>
	database.transaction().execute(async (transaction) => {
		const {content, ...row} = release;
		const inserted = await transaction
			.insertInto('release')
			.values({...row, release: content.release, state: 'uploading'})
			.onConflict((conflict) => conflict.column('release').doNothing())
			.executeTakeFirst();
		if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) {
			return false;
		}
		await transaction
			.insertInto('release_artifact')
			.values(
				releaseArtifacts(content).map(({sha256, sizeBytes}) => ({
					release: content.release,
					sha256,
					size_bytes: sizeBytes,
				})),
			)
			.execute();
		return true;
	});

export const markPublished = async (
	database: Queries,
	{release, nowMs}: {readonly release: ReleaseVersion; readonly nowMs: number},
): Promise<void> => {
	await database
		.updateTable('release')
		.set({state: 'published', published_ms: nowMs})
		.where('release', '=', release)
		.where('state', '=', 'uploading')
		.execute();
};

export const markWithdrawn = async (
	database: Queries,
	{
		release,
		by,
		reason,
		nowMs,
	}: {readonly release: string; readonly by: string; readonly reason: string; readonly nowMs: number},
): Promise<void> => {
	await database
		.updateTable('release')
		.set({state: 'withdrawn', withdrawn_by: by, withdrawn_ms: nowMs, withdrawn_reason: reason})
		.where('release', '=', release)
		.where('state', '!=', 'withdrawn')
		.execute();
};

/** A file that some release names, or undefined: nothing else is taken in. */
export const findArtifact = async (database: Queries, sha256: Sha256): Promise<ArtifactNeed | undefined> => {
	const row = await database
		.selectFrom('release_artifact')
		.select(['sha256', 'size_bytes'])
		.where('sha256', '=', sha256)
		.executeTakeFirst();
	return row && {sha256: sha256Schema.parse(row.sha256), sizeBytes: row.size_bytes};
};

/** Boxes that say that they run each of these releases. */
export const countBoxes = async (
	database: Queries,
	releases: readonly string[],
): Promise<ReadonlyMap<string, number>> => {
	if (releases.length === 0) {
		return new Map();
	}
	const rows = await database
		.selectFrom('box')
		.select(['release', sql<number>`count(*)`.as('count')])
		.where('release', 'in', releases)
		.groupBy('release')
		.execute();
	return new Map(rows.map(({release, count}) => [release, Number(count)]));
};

const toRelease = (row: ReleaseTable): StoredRelease => {
	const manifest = releaseManifestSchema.parse(JSON.parse(Buffer.from(row.manifest, 'base64').toString('utf8')));
	const state = releaseStates.find((each) => each === row.state) ?? 'withdrawn';
	return {
		release: manifest.release,
		state,
		manifest,
		signedManifest: row.manifest,
		signature: row.signature,
		signer: row.signer,
		createdBy: row.created_by,
		createdMs: row.created_ms,
		publishedMs: row.published_ms,
		withdrawn:
			row.withdrawn_ms === null
				? null
				: {by: row.withdrawn_by ?? '', atMs: row.withdrawn_ms, reason: row.withdrawn_reason ?? ''},
	};
};
