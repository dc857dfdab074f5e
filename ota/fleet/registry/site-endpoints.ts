import type {Selectable} from 'kysely';
import {z} from 'zod';
import {maintenanceWindowSchema} from '#appliance/contract/fleet/order-schema.ts';
import {type Overview, overviewSchema, type Site, siteIdSchema, siteSchema} from '#ota/contract/box-api.ts';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';
import {editConflict, notFound} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import {readOverview} from '#ota/fleet/registry/read-overview.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';
import type {SiteTable} from '#ota/fleet/store/registry-tables.ts';

const parameters = z.strictObject({id: siteIdSchema});
const tag = 'sites';
/** The wall asks every few seconds, on many screens. */
const overviewAgeMaxMs = 1000;

type Context = FleetContext & {
	readonly orderDesk: OrderDesk;
	/** Alerts that are raised and not acknowledged. */
	readonly countAlerts: () => Promise<Overview['alerts']>;
};

const siteOf = (row: Selectable<SiteTable>): Site => ({
	id: row.id,
	name: row.name,
	latitude: row.latitude,
	longitude: row.longitude,
	timeZone: row.time_zone,
	windows: row.windows === null ? null : z.array(maintenanceWindowSchema).parse(JSON.parse(row.windows)),
});

export const siteEndpoints = (context: Context): readonly AnyEndpoint[] => [
	overviewEndpoint(context),
	...readSites(context.store.database),
	putSite(context),
	removeSite(context),
];

const overviewEndpoint = ({store: {database}, clock, countAlerts}: Context): AnyEndpoint => {
	let cached: {readonly atMs: number; readonly overview: Promise<Overview>} | undefined;
	return endpoint({
		method: 'GET',
		path: '/overview',
		operationId: 'readOverview',
		tag: 'boxes',
		summary: 'The fleet in figures: what the wall shows.',
		role: 'viewer',
		answer: overviewSchema,
		handle: async () => {
			const atMs = clock.monotonicMs();
			if (cached === undefined || atMs - cached.atMs > overviewAgeMaxMs) {
				const overview = countAlerts().then((alerts) => readOverview(database, {nowMs: clock.nowMs(), alerts}));
				cached = {atMs, overview};
				overview.catch(() => {
					cached = undefined;
				});
			}
			return {body: await cached.overview};
		},
	});
};

const readSites = (database: FleetDatabase): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/sites',
		operationId: 'listSites',
		tag,
		summary: 'Every site.',
		role: 'viewer',
		query: pageQuerySchema,
		answer: pageOf(siteSchema),
		handle: async ({query: {cursor, limit}}) => {
			const [after = ''] = decodeCursor(cursor, z.tuple([z.string()])) ?? [];
			const rows = await database
				.selectFrom('site')
				.selectAll()
				.where('id', '>', after)
				.orderBy('id')
				.limit(limit + 1)
				.execute();
			return {body: pageOfRows(rows, {limit, toItem: siteOf, cursorOf: (row) => [row.id]})};
		},
	}),
	endpoint({
		method: 'GET',
		path: '/sites/{id}',
		operationId: 'readSite',
		tag,
		summary: 'One site. Its ETag is what PUT wants.',
		role: 'viewer',
		parameters,
		answer: siteSchema,
		handle: async ({parameters: {id}}) => {
			const row = await database.selectFrom('site').selectAll().where('id', '=', id).executeTakeFirst();
			if (row === undefined) {
				throw notFound('site');
			}
			return {body: siteOf(row), editVersion: row.edit_version};
		},
	}),
];

/** If-Match `"0"` makes a new one. */
const putSite = ({store: {database}, orderDesk, changes}: Context): AnyEndpoint =>
	endpoint({
		method: 'PUT',
		path: '/sites/{id}',
		operationId: 'putSite',
		tag,
		summary: 'Make a site (If-Match "0"), or change one. Its boxes are told of new maintenance windows.',
		role: 'operator',
		concurrency: true,
		parameters,
		body: siteSchema.omit({id: true}),
		answer: siteSchema,
		handle: async ({parameters: {id}, body, ifMatch = 0}) => {
			const row = {
				name: body.name,
				latitude: body.latitude,
				longitude: body.longitude,
				time_zone: body.timeZone,
				windows: body.windows === null ? null : JSON.stringify(body.windows),
				edit_version: ifMatch + 1,
			};
			await database.transaction().execute(async (transaction) => {
				const changed =
					ifMatch === 0
						? await transaction
								.insertInto('site')
								.values({id, ...row})
								.onConflict((conflict) => conflict.column('id').doNothing())
								.returning('id')
								.execute()
						: await transaction
								.updateTable('site')
								.set(row)
								.where('id', '=', id)
								.where('edit_version', '=', ifMatch)
								.returning('id')
								.execute();
				if (changed.length === 0) {
					throw editConflict();
				}
				const boxes = await transaction.selectFrom('box').select('id').where('site', '=', id).execute();
				await orderDesk.markDirty(
					transaction,
					boxes.map((box) => box.id as Parameters<OrderDesk['setConfig']>[1]),
				);
			});
			orderDesk.wake();
			changes.publish({kind: 'boxes'});
			return {body: {id, ...body}, editVersion: ifMatch + 1};
		},
	});

const removeSite = ({store: {database}, changes}: Context): AnyEndpoint =>
	endpoint({
		method: 'DELETE',
		path: '/sites/{id}',
		operationId: 'removeSite',
		tag,
		summary: 'Remove a site; its boxes have none then.',
		role: 'operator',
		parameters,
		handle: async ({parameters: {id}}) => {
			await database.transaction().execute(async (transaction) => {
				await transaction.updateTable('box').set({site: null}).where('site', '=', id).execute();
				const {numDeletedRows} = await transaction.deleteFrom('site').where('id', '=', id).executeTakeFirst();
				if (numDeletedRows === 0n) {
					throw notFound('site');
				}
			});
			changes.publish({kind: 'boxes'});
			return {status: 204};
		},
	});
